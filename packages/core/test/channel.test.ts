import { beforeEach, describe, expect, test } from 'vitest';
import { AGChannel } from '../src/index.js';
import { TestClient } from './channel-client.js';

let client: TestClient;
let channel: AGChannel;

beforeEach(() => {
  client = new TestClient();
  channel = client.channel('a');
});

describe('AGChannel', () => {
  test('has its states as constants of class and instance', () => {
    expect([AGChannel.PENDING, AGChannel.SUBSCRIBED, AGChannel.UNSUBSCRIBED]).toEqual([
      'pending',
      'subscribed',
      'unsubscribed',
    ]);
    expect([channel.PENDING, channel.SUBSCRIBED, channel.UNSUBSCRIBED]).toEqual([
      'pending',
      'subscribed',
      'unsubscribed',
    ]);
  });

  test('reads its state and a copy of its options from its client', () => {
    expect(channel.name).toBe('a');
    expect(channel.client).toBe(client);
    expect(channel.state).toBe('pending');
    client.state = 'subscribed';
    expect(channel.state).toBe('subscribed');
    expect(channel.options).toEqual(client.options);
    expect(channel.options).not.toBe(client.options);
  });

  test('refuses to have its state or options set', () => {
    expect(() => Object.assign(channel, { state: 'subscribed' })).toThrow(
      'Cannot directly set channel state',
    );
    expect(() => Object.assign(channel, { options: {} })).toThrow('Cannot directly set channel options');
  });

  test('asks its client to subscribe, unsubscribe and publish, under its name', async () => {
    expect(channel.subscribe({ priority: 1 })).toBeUndefined();
    expect(channel.unsubscribe()).toBeUndefined();
    expect(channel.isSubscribed(true)).toBe(true);
    await channel.transmitPublish('x');
    await expect(channel.invokePublish('y')).resolves.toBe('acknowledged');
    expect(client.asked).toEqual([
      ['subscribe', 'a', { priority: 1 }],
      ['unsubscribe', 'a'],
      ['isSubscribed', 'a', true],
      ['transmitPublish', 'a', 'x'],
      ['invokePublish', 'a', 'y'],
    ]);
  });

  test('leaves a failed unsubscribe to its client, without an unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      client.unsubscribing = Promise.reject(new Error('no'));
      channel.unsubscribe();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });

  test('is an async iterable of the messages of its name, shared with other views', async () => {
    const numbers = client.channel<number>('a');
    const sum = (async () => {
      let total = 0;
      for await (const value of numbers) total += value;
      return total;
    })();
    const first = channel.once();
    const next = channel.next();
    client.channelStreams.write('b', 100);
    client.channelStreams.write('a', 1);
    client.channelStreams.write('a', 2);
    channel.closeOutput();
    expect(await first).toBe(1);
    expect(await next).toEqual({ value: 1, done: false });
    expect(await sum).toBe(3);
  });

  test('gives its events by name', async () => {
    const kickedOut = channel.listener('kickOut').once();
    client.channelStreams.writeEvent('a', 'kickOut', { message: 'bye' });
    expect(await kickedOut).toEqual({ message: 'bye' });
    expect(channel.listener('kickOut').name).toBe('a/kickOut');
  });

  test('closes and kills through its client, whose methods may be replaced', () => {
    const called: string[] = [];
    client.closeChannel = (name) => void called.push(`close ${name}`);
    client.killChannel = (name) => void called.push(`kill ${name}`);
    channel.close();
    channel.kill();
    expect(called).toEqual(['close a', 'kill a']);
  });

  test('closes and kills its messages and its events apart', () => {
    const all = () => ({
      output: channel.createConsumer(),
      subscribe: channel.listener('subscribe').createConsumer(),
      kickOut: channel.listener('kickOut').createConsumer(),
    });
    const alive = (consumers: ReturnType<typeof all>): string[] =>
      Object.entries(consumers).flatMap(([name, consumer]) => (consumer.isAlive ? [name] : []));

    let consumers = all();
    channel.killOutput();
    expect(alive(consumers)).toEqual(['subscribe', 'kickOut']);
    channel.killListener('kickOut');
    expect(alive(consumers)).toEqual(['subscribe']);
    channel.killAllListeners();
    expect(alive(consumers)).toEqual([]);

    consumers = all();
    channel.closeListener('kickOut');
    expect(channel.getListenerBackpressure('kickOut')).toBe(1);
    expect(channel.getListenerBackpressure('subscribe')).toBe(0);
    channel.closeAllListeners();
    expect(channel.getListenerBackpressure('subscribe')).toBe(1);
    expect(channel.getOutputBackpressure()).toBe(0);
    channel.closeOutput();
    expect(channel.getOutputBackpressure()).toBe(1);
    expect(alive(consumers)).toHaveLength(3);
    channel.kill();
    expect(alive(consumers)).toEqual([]);
    expect(channel.getBackpressure()).toBe(0);
  });

  test('tells how its own consumers stand', () => {
    const output = channel.createConsumer(500);
    const listener = channel.listener('subscribe').createConsumer();
    client.channelStreams.write('a', 1);
    client.channelStreams.writeEvent('a', 'subscribe', {});
    client.channelStreams.writeEvent('a', 'subscribe', {});
    const outputStats = { id: 1, backpressure: 1, timeout: 500, stream: 'a' };
    const listenerStats = { id: 1, backpressure: 2, stream: 'a/subscribe' };
    expect(channel.getOutputConsumerStats(output.id)).toEqual(outputStats);
    expect(channel.getOutputConsumerStatsList()).toEqual([outputStats]);
    expect(channel.getListenerConsumerStats(listener.id)).toEqual(listenerStats);
    expect(channel.getListenerConsumerStatsList('subscribe')).toEqual([listenerStats]);
    expect(channel.getListenerConsumerStatsList('kickOut')).toEqual([]);
    expect(channel.getAllListenersConsumerStatsList()).toEqual([listenerStats]);
    expect(channel.getBackpressure()).toBe(2);
    expect(channel.getOutputBackpressure()).toBe(1);
    expect(channel.getListenerBackpressure('subscribe')).toBe(2);
    expect(channel.getAllListenersBackpressure()).toBe(2);
    expect(channel.getOutputConsumerBackpressure(output.id)).toBe(1);
    expect(channel.getListenerConsumerBackpressure(listener.id)).toBe(2);
    expect(channel.hasOutputConsumer(output.id)).toBe(true);
    expect(channel.hasListenerConsumer('subscribe', listener.id)).toBe(true);
    expect(channel.hasListenerConsumer('kickOut', listener.id)).toBe(false);
    expect(channel.hasAnyListenerConsumer(listener.id)).toBe(true);
  });

  test('does not know the consumers of other channels, and does not kill them', () => {
    const other = client.channel('a/b');
    const output = other.createConsumer();
    const listener = other.listener('subscribe').createConsumer();
    client.channelStreams.write('a/b', 1);
    client.channelStreams.writeEvent('a/b', 'subscribe', {});
    channel.killOutputConsumer(output.id);
    channel.killListenerConsumer(listener.id);
    expect(output.isAlive && listener.isAlive).toBe(true);
    expect(channel.getOutputConsumerStats(output.id)).toBeUndefined();
    expect(channel.getListenerConsumerStats(listener.id)).toBeUndefined();
    expect(channel.getOutputConsumerBackpressure(output.id)).toBe(0);
    expect(channel.getListenerConsumerBackpressure(listener.id)).toBe(0);
    other.killOutputConsumer(output.id);
    other.killListenerConsumer(listener.id);
    expect(output.isAlive || listener.isAlive).toBe(false);
  });
});
