import { AGSimpleBroker, type RelayBroker, type RelayOptions, relayBroker } from '@socketcluster-ts/server';
import { afterTest, MemoryEngine, type StartedServer, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

async function startNode(
  engine: MemoryEngine,
  options: RelayOptions = {},
  inner: AGSimpleBroker = new AGSimpleBroker(),
): Promise<StartedServer & { broker: RelayBroker }> {
  const broker = relayBroker(inner, engine.link(), options);
  afterTest(() => broker.close());
  const started = await startServer({ brokerEngine: broker });
  await until(() => broker.status === 'connected');
  return { ...started, broker };
}

describe('relayBroker()', () => {
  test('names the option that is wrong', () => {
    const link = new MemoryEngine().link();
    const broker = new AGSimpleBroker();
    expect(() => relayBroker(broker, link, { ackTimeout: 0 })).toThrow(
      'The option ackTimeout of the relay must be milliseconds from 1 to 2147483647 - Got 0',
    );
    expect(() => relayBroker(broker, link, { maxMessageBytes: Number.NaN })).toThrow(
      'must be a number from 1 - Got NaN',
    );
    expect(() => relayBroker(broker, link, { gracePeriod: 5 } as RelayOptions)).toThrow(
      'The relay has no option "gracePeriod": it has ackTimeout, subscribeTimeout, grace,',
    );
    expect(() => relayBroker(broker, {} as never)).toThrow(
      /link of relayBroker\(\) .* without connect, publish/,
    );
    expect(() => relayBroker(null as never, link)).toThrow(/broker of relayBroker\(\) .* Got null/);
  });

  test('a client does not wait for the acknowledgement of what it published before its next packet', async () => {
    const engine = new MemoryEngine();
    const { open, server } = await startNode(engine);
    const { client, socket } = await open();
    void socket.procedure('ask').each(() => 'answered');
    await client.call('#subscribe', { channel: 'room' });
    engine.pause();
    const published = client.call('#publish', { channel: 'room', data: 1 });
    expect(await client.call('ask')).toMatchObject({ data: 'answered' });
    expect(client.received.filter(({ event }) => event === '#publish')).toHaveLength(1);
    engine.resume();
    expect((await published).error).toBeUndefined();
    expect(server.isReady).toBe(true);
  });

  test('a message that other nodes may not have is an error to who published it, and was delivered here', async () => {
    const engine = new MemoryEngine();
    const { open } = await startNode(engine, { ackTimeout: 100 });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'room' });
    engine.pause();
    const { error } = await client.call('#publish', { channel: 'room', data: 1 });
    expect(error).toMatchObject({
      name: 'BrokerError',
      message: 'The engine did not confirm the message to the other nodes within 100 ms',
    });
    expect(client.received.filter(({ event }) => event === '#publish')).toHaveLength(1);
  });

  test('a publisher that is gone when its message is acknowledged bothers nobody', async () => {
    const engine = new MemoryEngine();
    const { open, broker, errors, warnings } = await startNode(engine, { ackTimeout: 100 });
    const { client, socket } = await open();
    engine.pause();
    client.send({ event: '#publish', data: { channel: 'room', data: 1 }, cid: 5 });
    client.send({ event: '#publish', data: { channel: 'room', data: 2 } });
    await until(() => broker.stats.buffered === 2);
    client.close(1000);
    await until(() => socket.state === 'closed');
    await until(() => broker.stats.unconfirmed === 2);
    expect([errors, warnings]).toEqual([[], []]);
  });

  test('a channel that the engine does not confirm in time is refused, and the subscriber gets nothing', async () => {
    const engine = new MemoryEngine();
    const { open, broker, server } = await startNode(engine, { subscribeTimeout: 50, grace: 1 });
    const { client } = await open();
    engine.pause();
    const { error } = await client.call('#subscribe', { channel: 'room' });
    expect(error).toMatchObject({ name: 'BrokerError' });
    expect(error?.message).toContain('The engine did not confirm the channel "room" within 50 ms');
    expect(broker.isSubscribed('room')).toBe(false);
    engine.resume();
    await until(() => broker.stats.channels === 0);
    expect(engine.subscriberCount('room')).toBe(0);
    await server.exchange.invokePublish('room', 1);
    await client.fence();
    expect(client.received.filter(({ event }) => event === '#publish')).toEqual([]);
  });

  test('what waits is bounded in messages and bytes; what does not fit is refused with the limit, and counted', async () => {
    const engine = new MemoryEngine();
    const limits = { maxBufferedMessages: 3, maxBufferedBytes: 1000, ackTimeout: 60_000 };
    const { server, broker, warnings } = await startNode(engine, limits);
    engine.stop();
    await until(() => broker.status === 'degraded');
    const { exchange } = server;
    const kept = [exchange.invokePublish('room', 'x'.repeat(800))];
    await expect(exchange.invokePublish('room', 'x'.repeat(200))).rejects.toThrow('maxBufferedBytes: 1000');
    kept.push(exchange.invokePublish('room', 1), exchange.invokePublish('room', 2));
    for (let n = 0; n < 1000; n += 1) await exchange.transmitPublish('room', n);
    await expect(exchange.invokePublish('room', 3)).rejects.toThrow('maxBufferedMessages: 3');
    expect(broker.stats).toMatchObject({ buffered: 3, dropped: 1002 });
    await until(() => warnings.length >= 2);
    // One of the engine that is away, one for a thousand lost messages.
    expect(warnings.map(String)).toEqual([
      'Error: The connection to the engine is lost',
      expect.stringMatching(/^BrokerError: The message did not leave this node: 3 messages/),
    ]);
    engine.start();
    await Promise.all(kept);
    expect(broker.stats).toMatchObject({ buffered: 0, bufferedBytes: 0, accepted: 3 });
  });

  test('a channel that the engine drops is asked for again, and its subscribers are told of a gap', async () => {
    const engine = new MemoryEngine();
    const [one, two] = [await startNode(engine), await startNode(engine)];
    const { client } = await one.open();
    await client.call('#subscribe', { channel: 'room' });
    const channel = one.server.exchange.subscribe<number>('room');
    const gaps: unknown[] = [];
    void channel.listener('gap').each((gap) => void gaps.push(gap));
    engine.drop('room');
    expect(one.broker.status).toBe('degraded');
    await until(() => one.broker.status === 'connected' && gaps.length === 1);
    expect(gaps).toEqual([{ dropped: null }]);
    await two.server.exchange.invokePublish('room', 7);
    expect(await client.next(({ event }) => event === '#publish')).toMatchObject({ data: { data: 7 } });
    // This client did not say that it knows gaps.
    expect(client.received.filter(({ event }) => event === '#gap')).toEqual([]);
  });

  test.each(['invokePublish', 'transmitPublish'] as const)(
    'compat: a broker that intercepts %s() sees what other nodes publish, too',
    async (method) => {
      const engine = new MemoryEngine();
      const seen: unknown[] = [];
      const broker = new AGSimpleBroker();
      const original = broker[method].bind(broker);
      broker[method] = (channel, data, suppressEvent) => {
        seen.push(data);
        return original(channel, data, suppressEvent);
      };
      const audited = await startNode(engine, {}, broker);
      const other = await startNode(engine);
      const { client } = await audited.open();
      await client.call('#subscribe', { channel: 'room' });
      await other.server.exchange.invokePublish('room', 'theirs');
      await audited.server.exchange.invokePublish('room', 'ours');
      await until(() => client.received.filter(({ event }) => event === '#publish').length === 2);
      expect(seen).toEqual(['theirs', 'ours']);
    },
  );

  test('what is published and subscribed at the broker inside crosses as well', async () => {
    const engine = new MemoryEngine();
    const inner = new AGSimpleBroker();
    const one = await startNode(engine, {}, inner);
    const two = await startNode(engine);
    const received: unknown[] = [];
    await inner.subscribeClient(
      { id: 'inside', transmit: (_, { data }) => void received.push(data) },
      'room',
    );
    await until(() => engine.subscriberCount('room') === 1);
    await two.server.exchange.invokePublish('room', 'in');
    await until(() => received.length === 1);
    const { client } = await two.open();
    await client.call('#subscribe', { channel: 'room' });
    await inner.invokePublish('room', 'out');
    expect(await client.next(({ event }) => event === '#publish')).toMatchObject({ data: { data: 'out' } });
    expect(received).toEqual(['in', 'out']);
    expect(one.broker.stats.accepted).toBe(1);
  });

  test('an outbound middleware may look at and replace what other nodes sent', async () => {
    const engine = new MemoryEngine();
    const [one, two] = [await startNode(engine), await startNode(engine)];
    one.server.setMiddleware(one.server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) action.allow({ data: { was: action.data } });
    });
    const { client } = await one.open();
    await client.call('#subscribe', { channel: 'room' });
    await two.server.exchange.invokePublish('room', [1, 2]);
    expect(await client.next(({ event }) => event === '#publish')).toMatchObject({
      data: { data: { was: [1, 2] } },
    });
  });

  test('what cannot be encoded or named is refused before anybody has it', async () => {
    const engine = new MemoryEngine();
    const { server, open, warnings } = await startNode(engine);
    const { client } = await open();
    await client.call('#subscribe', { channel: 'room' });
    await expect(server.exchange.invokePublish('room', 1n)).rejects.toThrow('BigInt');
    await server.exchange.transmitPublish('room', 1n);
    await expect(server.exchange.invokePublish('', 1)).rejects.toThrow('at least one character');
    const reader = { id: 'reader', transmit: () => {} };
    for (const channel of ['', '\ud800']) {
      await expect(server.brokerEngine.subscribeSocket(reader, channel)).rejects.toThrow('well-formed text');
    }
    await until(() => warnings.length === 3);
    await client.fence();
    expect(client.received.filter(({ event }) => event === '#publish')).toEqual([]);
  });

  test('close() sends what waits; afterwards publishes say that they stay here', async () => {
    const engine = new MemoryEngine();
    const [one, two] = [await startNode(engine), await startNode(engine)];
    const { client } = await two.open();
    await client.call('#subscribe', { channel: 'room' });
    const last = one.server.exchange.invokePublish('room', 'last');
    await Promise.all([one.broker.close(), one.broker.close(), last]);
    expect(await client.next(({ event }) => event === '#publish')).toMatchObject({ data: { data: 'last' } });
    expect(one.broker.status).toBe('closed');
    await expect(one.server.exchange.invokePublish('room', 1)).rejects.toThrow('the relay is closed');
  });
});
