import type { AGSimpleBroker } from '@socketcluster-ts/server';
import {
  consume,
  type Deferred,
  deferred,
  EventLog,
  nextValue,
  ours,
  serverModule,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** A broker one of whose methods takes effect at once but settles when the gate says so. */
function gatedBroker(method: 'subscribeSocket' | 'unsubscribeSocket'): {
  broker: AGSimpleBroker;
  gate: Deferred;
} {
  const broker = new serverModule.AGSimpleBroker();
  const gate = deferred();
  const original = broker[method].bind(broker);
  broker[method] = async (...parameters) => {
    await original(...parameters);
    await gate.promise;
  };
  return { broker, gate };
}

describe('a broker that subscribes slowly', () => {
  test('delivers before the acknowledgement', async () => {
    const { broker, gate } = gatedBroker('subscribeSocket');
    const { open, server } = await startServer({ brokerEngine: broker });
    const { client } = await open();
    client.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    await until(() => broker.isSubscribed('c'));
    await server.exchange.invokePublish('c', 'early');
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'early' } });
    gate.resolve();
    expect(await client.next()).toEqual({ rid: 2 });
  });

  /** A broker whose subscription of a socket takes effect only when the gate opens. */
  function lateBroker(): { broker: AGSimpleBroker; reached: Deferred; gate: Deferred } {
    const broker = new serverModule.AGSimpleBroker();
    const reached = deferred();
    const gate = deferred();
    const original = broker.subscribeSocket.bind(broker);
    broker.subscribeSocket = async (...parameters) => {
      reached.resolve();
      await gate.promise;
      await original(...parameters);
    };
    return { broker, reached, gate };
  }

  ours('keeps no subscription of a socket that closed meanwhile', async () => {
    const { broker, reached, gate } = lateBroker();
    const { open, server } = await startServer({ brokerEngine: broker });
    const { client } = await open();
    const log = new EventLog().record(server, ['subscription', 'unsubscription', 'closure']);
    const subscribed = nextValue(broker.listener('subscribe'));
    client.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    await reached.promise;
    client.terminate();
    await log.first('closure');
    gate.resolve();
    await subscribed;
    await until(() => !broker.isSubscribed('c'));
    await turn();
    expect(broker.subscriptions()).toEqual([]);
    expect(log.of('subscription')).toEqual([]);
  });

  ours('leaves a channel that was kicked out meanwhile unsubscribed', async () => {
    const { broker, reached, gate } = lateBroker();
    const { open, server } = await startServer({ brokerEngine: broker });
    const { client, socket } = await open();
    client.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    await reached.promise;
    const kicked = socket.kickOut('c').catch(() => {});
    gate.resolve();
    await kicked;
    await client.next((packet) => packet.rid === 2);
    await until(() => !broker.isSubscribed('c'));
    await server.exchange.invokePublish('c', 'unheard');
    await client.fence();
    expect(socket.subscriptions()).toEqual([]);
    expect(client.received.filter((packet) => packet.event === '#publish')).toEqual([]);
  });
});

describe('a broker that fails', () => {
  test('to subscribe has the client told, and the channel is not held', async () => {
    const broker = new serverModule.AGSimpleBroker();
    broker.subscribeSocket = async () => {
      throw new Error('broken broker');
    };
    const { open, warning } = await startServer({ brokerEngine: broker });
    const { client, socket } = await open();
    const refusal = {
      name: 'BrokerError',
      message: 'Failed to subscribe socket to the c channel - Error: broken broker',
    };
    expect(await client.call('#subscribe', { channel: 'c' })).toEqual({ rid: 2, error: refusal });
    expect(await warning()).toMatchObject(refusal);
    expect(socket.subscriptions()).toEqual([]);
    expect(socket.channelSubscriptionsCount).toBe(0);
  });

  ours('to subscribe again leaves the channel held', async () => {
    const broker = new serverModule.AGSimpleBroker();
    const original = broker.subscribeSocket.bind(broker);
    const { open } = await startServer({ brokerEngine: broker });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    broker.subscribeSocket = async () => {
      throw new Error('broken broker');
    };
    await client.call('#subscribe', { channel: 'c' });
    broker.subscribeSocket = original;
    expect(socket.subscriptions()).toEqual(['c']);
    expect(await client.call('#unsubscribe', 'c')).toEqual({ rid: 4 });
  });

  ours('to unsubscribe has the client told, and the channel stays held', async () => {
    const broker = new serverModule.AGSimpleBroker();
    const { open, warning } = await startServer({ brokerEngine: broker });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    const original = broker.unsubscribeSocket.bind(broker);
    broker.unsubscribeSocket = async () => {
      throw new Error('broken broker');
    };
    const refusal = {
      name: 'BrokerError',
      message: 'Failed to unsubscribe socket from the c channel - Error: broken broker',
    };
    expect(await client.call('#unsubscribe', 'c')).toEqual({ rid: 3, error: refusal });
    expect(await warning()).toMatchObject(refusal);
    expect(socket.subscriptions()).toEqual(['c']);
    broker.unsubscribeSocket = original;
  });

  test('to publish has the client told', async () => {
    const { open, server, warning } = await startServer();
    const { client } = await open();
    server.exchange.invokePublish = async () => {
      throw Object.assign(new Error('broken exchange'), { name: 'BrokenError' });
    };
    expect(await client.call('#publish', { channel: 'c', data: 1 })).toMatchObject({
      rid: 2,
      error: { name: 'BrokenError', message: 'broken exchange' },
    });
    expect(await warning()).toMatchObject({ name: 'BrokenError' });
  });

  test('on its own has its error emitted as a warning of the server', async () => {
    const broker = new serverModule.AGSimpleBroker();
    const { log } = await startServer({ brokerEngine: broker });
    const error = new Error('broken broker');
    broker.emit('error', { error });
    expect(await log.first('warning')).toEqual({ warning: error });
  });
});

describe('a replaced method', () => {
  test('`exchange.invokePublish` sees the publishes of clients', async () => {
    const { open, server } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    const original = server.exchange.invokePublish.bind(server.exchange);
    server.exchange.invokePublish = (channel, data) => original(channel, `wrapped ${String(data)}`);
    client.transmit('#publish', { channel: 'c', data: 'x' });
    expect(await client.next()).toMatchObject({ data: { data: 'wrapped x' } });
  });

  test('`broker.unsubscribeSocket` is called with the broker as `this`', async () => {
    const broker = new serverModule.AGSimpleBroker();
    const original = broker.unsubscribeSocket;
    const seen = deferred<unknown>();
    broker.unsubscribeSocket = function (this: AGSimpleBroker, ...parameters) {
      seen.resolve(this);
      return original.apply(this, parameters);
    };
    const { open } = await startServer({ brokerEngine: broker });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await client.call('#unsubscribe', 'c');
    expect(await seen.promise).toBe(broker);
  });

  test('`socket.transmit` sees what the broker delivers', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    const transmitted = deferred<unknown[]>();
    socket.transmit = async (...parameters: unknown[]) => {
      transmitted.resolve(parameters);
    };
    await server.exchange.invokePublish('c', 'x');
    expect((await transmitted.promise).slice(0, 2)).toEqual(['#publish', { channel: 'c', data: 'x' }]);
  });
});

describe('the broker’s events', () => {
  test('tell the first subscription and the last unsubscription of a channel', async () => {
    const { open, server } = await startServer();
    const log = new EventLog().record(server.brokerEngine, ['subscribe', 'unsubscribe']);
    const { client: ann } = await open();
    const { client: bob } = await open();
    await ann.call('#subscribe', { channel: 'c' });
    await bob.call('#subscribe', { channel: 'c' });
    const closed = nextValue(server.listener('unsubscription'));
    ann.close(1000);
    await closed;
    await bob.call('#unsubscribe', 'c');
    expect(log.events).toEqual([
      { name: 'subscribe', payload: { channel: 'c' } },
      { name: 'unsubscribe', payload: { channel: 'c' } },
    ]);
    void consume(server.exchange.subscribe('c'), () => {});
    expect(server.brokerEngine.isSubscribed('c')).toBe(true);
  });
});
