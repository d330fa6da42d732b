import {
  consume,
  nextValue,
  ours,
  type ServerOptions,
  serverModule,
  startServer,
  turn,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const broken = (): never => {
  throw new Error('broken application');
};
const isBroken = (error: Error): boolean => error.message.includes('broken application');

describe('a requestCreator', () => {
  test('makes the requests of procedures, called as a method of the socket', async () => {
    const seen: unknown[] = [];
    const { open } = await startServer({
      requestCreator(this: unknown, ...parameters) {
        seen.push(this === parameters[0], ...parameters.slice(1));
        return Object.assign(new serverModule.AGRequest(...parameters), { custom: true });
      },
    });
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('asked'));
    client.send({ event: 'asked', data: 'x', cid: 9 });
    const request = await called;
    expect(request).toMatchObject({ custom: true, data: 'x' });
    expect(seen.slice(-4)).toEqual([true, 9, 'asked', 'x']);
    request.end('y');
    expect(await client.next((packet) => packet.rid === 9)).toEqual({ rid: 9, data: 'y' });
  });

  ours('that throws is told, and the socket goes on', async () => {
    let isOn = false;
    const { open, warning } = await startServer({
      requestCreator: (...parameters) => (isOn ? broken() : new serverModule.AGRequest(...parameters)),
    });
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), () => {});
    isOn = true;
    client.send({ event: 'asked', cid: 9 });
    expect(await warning(isBroken)).toBeInstanceOf(Error);
    isOn = false;
    await client.fence();
  });
});

describe('an auth engine that throws at once', () => {
  const authEngine = { verifyToken: broken, signToken: broken } as unknown as NonNullable<
    ServerOptions['authEngine']
  >;

  ours('has the token refused in the handshake and in #authenticate', async () => {
    const { connect, warning } = await startServer({ authEngine });
    const client = await connect();
    expect(await client.handshake('token')).toMatchObject({
      data: { isAuthenticated: false, authError: { message: 'broken application' } },
    });
    expect(await warning(isBroken)).toBeInstanceOf(Error);
    expect(await client.call('#authenticate', 'token')).toMatchObject({
      error: { message: 'broken application' },
    });
    await client.fence();
  });

  test('has `setAuthToken()` rejected', async () => {
    const { open } = await startServer({ authEngine: { verifyToken: async () => null, signToken: broken } });
    const { client, socket } = await open();
    await expect(socket.setAuthToken({ user: 'ann' })).rejects.toThrow('broken application');
    expect(await client.ended()).toMatchObject({ code: 4002 });
  });
});

describe('a broker that throws at once', () => {
  ours('has subscribe, unsubscribe and publish refused, and the socket goes on', async () => {
    const broker = new serverModule.AGSimpleBroker();
    const { open, warning } = await startServer({ brokerEngine: broker });
    const { client, socket } = await open();
    const original = { subscribeSocket: broker.subscribeSocket, unsubscribeSocket: broker.unsubscribeSocket };
    await client.call('#subscribe', { channel: 'held' });
    Object.assign(broker, { subscribeSocket: broken, unsubscribeSocket: broken });
    expect(await client.call('#subscribe', { channel: 'c' })).toMatchObject({
      error: { name: 'BrokerError' },
    });
    expect(await client.call('#unsubscribe', 'held')).toMatchObject({ error: { name: 'BrokerError' } });
    expect(socket.subscriptions()).toEqual(['held']);
    Object.assign(broker, original, { invokePublish: broken });
    expect(await client.call('#publish', { channel: 'c' })).toHaveProperty('error');
    expect(await warning(isBroken)).toBeInstanceOf(Error);
    expect(await client.call('#unsubscribe', 'held')).toEqual({ rid: 6 });
  });

  ours('while a socket closes still lets it end', async () => {
    const broker = new serverModule.AGSimpleBroker();
    const { open, server, warning } = await startServer({ brokerEngine: broker });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'b' });
    broker.unsubscribeSocket = broken;
    const ended = nextValue(socket.listener('end'));
    client.close(1000);
    await ended;
    expect(await warning(isBroken)).toBeInstanceOf(Error);
    expect(server.clientsCount).toBe(0);
  });
});

describe('a codec that throws', () => {
  ours(
    'to encode publications, answers and transmits is told each time, and the socket goes on',
    async () => {
      let isOn = false;
      const { jsonCodec } = serverModule;
      const { open, server, warnings } = await startServer({
        codecEngine: {
          encode: (value) =>
            isOn && JSON.stringify(value).includes('poison') ? broken() : jsonCodec.encode(value),
          decode: (message) => jsonCodec.decode(message),
        },
      });
      const { client, socket } = await open();
      void consume(socket.procedure('echo'), (request) => {
        request.end(request.data);
      });
      isOn = true;
      await client.call('#subscribe', { channel: 'c' });
      expect(await client.call('echo', 'poison')).toHaveProperty('error');
      expect(await client.call('#publish', { channel: 'c', data: 'poison' })).toHaveProperty('error');
      await socket.transmit('told', 'poison');
      await expect(server.exchange.invokePublish('c', 'poison')).rejects.toThrow('broken application');
      await client.fence();
      expect(client.received.filter((packet) => packet.event !== undefined)).toEqual([]);
      expect((warnings as Error[]).filter(isBroken).length).toBeGreaterThanOrEqual(3);
    },
  );
});

describe('a consumer of the application that throws', () => {
  test('ends its own loop only', async () => {
    const { open, server } = await startServer();
    const failures: unknown[] = [];
    const fail = (stream: AsyncIterable<unknown>): void => {
      void consume(stream, broken).catch((error: unknown) => failures.push(error));
    };
    fail(server.listener('connection'));
    const { client, socket } = await open();
    for (const stream of [socket.receiver('told'), socket.listener('message'), socket.listener('subscribe')])
      fail(stream);
    client.transmit('told');
    await client.call('#subscribe', { channel: 'c' });
    await client.fence();
    await turn();
    expect(failures).toHaveLength(4);
    expect(socket.getAllReceiversConsumerStatsList()).toEqual([]);
  });
});
