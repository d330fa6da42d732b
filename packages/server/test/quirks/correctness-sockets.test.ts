import { createServer } from 'node:http';
import {
  deferred,
  EventLog,
  nextValue,
  ours,
  requestUpgrade,
  serverModule,
  startServer,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test, vi } from 'vitest';
import { startClockedServer } from '../seed/clocked-server.js';

const { attach } = serverModule;

describe('middleware and handshake', () => {
  ours('C2: middleware set after a socket connected decides on that socket, and can be removed', async () => {
    const { server, open } = await startServer();
    const { client } = await open();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) action.block(new Error('Now you ask'));
    });
    const subscribe = (): Promise<object> => client.call('#subscribe', { channel: 'a' });
    expect(await subscribe()).toMatchObject({ error: { message: 'Now you ask' } });
    server.removeMiddleware(server.MIDDLEWARE_INBOUND);
    expect(await subscribe()).not.toHaveProperty('error');
  });

  async function blockedWith(error: unknown): Promise<{ answer: object; code: number }> {
    const { server, connect } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.HANDSHAKE_SC) action.block(error);
        else action.allow();
      }
    });
    const client = await connect();
    const answer = await client.handshake();
    return { answer, code: (await client.ended()).code };
  }

  ours('C12: a handshake blocked with a string is closed with 4008', async () => {
    expect(await blockedWith('Go away')).toEqual({ answer: { rid: 1, error: 'Go away' }, code: 4008 });
  });

  ours('C12: a silent error keeps its status code', async () => {
    const error = Object.assign(new Error('secret reason'), { silent: true, statusCode: 4501 });
    const { answer, code } = await blockedWith(error);
    expect(answer).toMatchObject({ error: { name: 'SilentMiddlewareBlockedError', statusCode: 4501 } });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(code).toBe(4501);
  });

  test('C12: an error without status code is closed with 4008, one with it by that', async () => {
    expect(await blockedWith(new Error('No'))).toMatchObject({ code: 4008 });
    expect(await blockedWith(Object.assign(new Error('No'), { statusCode: 4200 }))).toMatchObject({
      code: 4200,
    });
  });

  ours('C25: the handshake timeout covers middleware that does not decide', async () => {
    const { server, connect, advance } = startClockedServer({
      handshakeTimeout: 500,
      pingTimeoutDisabled: true,
    });
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) if (action.type === action.HANDSHAKE_WS) action.allow();
    });
    const { peer } = await connect({ handshake: false });
    peer.receive({ event: '#handshake', cid: 1 });
    await advance(400);
    expect(peer.closeInfo).toBeUndefined();
    await advance(150);
    expect(peer.closeInfo?.code).toBe(4005);
    expect(server.pendingClientsCount).toBe(0);
  });

  ours('C25: an upgrade that middleware does not decide in time is answered with 408', async () => {
    const { server, port } = await startServer({ handshakeTimeout: 30 });
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const _ of stream) await new Promise(() => {});
    });
    expect((await requestUpgrade(port)).status).toBe(408);
  });

  test('C32: an error that is blocked with, or made here, has no enumerable stack', async () => {
    const { answer } = await blockedWith(new TypeError('No'));
    expect(Object.keys((answer as { error: object }).error)).not.toContain('stack');
    const { open } = await startServer();
    const { client, socket } = await open();
    const pending = socket.invoke('question');
    client.terminate();
    const error = await pending.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'BadConnectionError' });
    expect(Object.keys(error as object)).not.toContain('stack');
  });
});

describe('disconnecting', () => {
  ours('C13: a transmit right before `disconnect()` arrives', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void socket.transmit('last', 'words');
    void socket.disconnect(4100, 'bye');
    expect(await client.next()).toEqual({ event: 'last', data: 'words' });
    expect(await client.ended()).toEqual({ code: 4100, reason: 'bye' });
  });

  ours('C14: an invoke that is still queued when the socket closes rejects', async () => {
    const { server, open } = await startServer();
    const asked = deferred();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const _ of stream) {
        asked.resolve();
        await new Promise(() => {});
      }
    });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'news' });
    await server.exchange.invokePublish('news', 'stuck');
    await asked.promise;
    const queued = socket.invoke('question');
    client.terminate();
    await expect(queued).rejects.toMatchObject({ name: 'BadConnectionError', type: 'disconnect' });
    expect(client.received.filter(({ event }) => event === 'question')).toEqual([]);
  });

  ours('C15: a socket that was closed reports no backpressure', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const _ of stream) await new Promise(() => {});
    });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'news' });
    await server.exchange.invokePublish('news', 'stuck');
    for (let count = 0; count < 5; count += 1) void socket.transmit('stuck behind it');
    expect(socket.getOutboundBackpressure()).toBeGreaterThan(0);
    const end = nextValue(socket.listener('end'));
    client.terminate();
    await end;
    expect(socket.getOutboundBackpressure()).toBe(0);
    expect(socket.getInboundBackpressure()).toBe(0);
    expect(socket.getBackpressure()).toBe(0);
  });

  ours('C31: a socket that closed leaves no timer behind', async () => {
    const { connect, advance } = startClockedServer({ batchOnHandshake: true });
    await advance(10);
    const before = vi.getTimerCount();
    const connections = [];
    for (let count = 0; count < 20; count += 1)
      connections.push(await connect({ handshake: count % 2 === 0 }));
    for (const { peer } of connections) peer.closeByPeer(1000);
    await advance(0);
    // Two timers may remain, whatever the number of sockets: that of all deadlines, and that of the event-loop lag.
    expect(vi.getTimerCount()).toBeLessThanOrEqual(before + 2);
  });
});

describe('batches', () => {
  ours('C16: `startBatch()` keeps what is buffered already', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    socket.startBatch();
    await socket.transmit('one');
    socket.startBatch();
    await socket.transmit('two');
    socket.flushBatch();
    expect((await client.nextFrame(({ text }) => text.includes('two'))).value).toEqual([
      { event: 'one' },
      { event: 'two' },
    ]);
  });

  ours('C16: a packet that cannot be encoded is missing from its batch, the others are sent', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const failed = nextValue(socket.listener('error'));
    socket.startBatch();
    await socket.transmit('one');
    await socket.transmit('bad', 1n);
    await socket.transmit('two');
    socket.flushBatch();
    const frame = await client.nextFrame(({ text }) => text.includes('two'));
    expect(frame).toMatchObject({ isBinary: false, value: [{ event: 'one' }, { event: 'two' }] });
    expect((await failed).error).toBeInstanceOf(Error);
    expect(client.frames.filter(({ isBinary }) => isBinary)).toEqual([]);
  });
});

describe('the server object', () => {
  ours('C18: `close()` ends the connections in their handshake and the open ones', async () => {
    const { server, connect, open } = await startServer();
    const { client } = await open();
    const pending = await connect();
    await until(() => server.pendingClientsCount === 1);
    await server.close();
    await client.ended();
    await pending.ended();
    await until(() => server.clientsCount === 0 && server.pendingClientsCount === 0);
  });

  ours('C18: `close()` refuses an upgrade that is being decided', async () => {
    const { server, port } = await startServer();
    const gate = deferred();
    const asked = deferred();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        asked.resolve();
        await gate.promise;
        action.allow();
      }
    });
    const answer = requestUpgrade(port);
    await asked.promise;
    await server.close();
    gate.resolve();
    expect((await answer).status).toBe(503);
    expect(server.pendingClientsCount).toBe(0);
  });

  ours('C23: the options of the caller are not changed', () => {
    const options = Object.freeze({
      path: '/live/',
      wsEngineServerOptions: Object.freeze({ clientTracking: false }),
      perMessageDeflate: Object.freeze({ threshold: 2048 }),
    });
    const server = attach(createServer(), options);
    expect(options).toEqual({
      path: '/live/',
      wsEngineServerOptions: { clientTracking: false },
      perMessageDeflate: { threshold: 2048 },
    });
    expect(server.options).not.toBe(options);
    expect(server.httpServer).toBeDefined();
  });

  ours('C23: no default broker is made beside the one that is given', async () => {
    const brokerEngine = new serverModule.AGSimpleBroker();
    await brokerEngine.listener('ready').once();
    const emit = vi.spyOn(serverModule.AGSimpleBroker.prototype, 'emit');
    try {
      attach(createServer(), { brokerEngine });
      // This one has a default broker, which is ready after any that had been made before.
      const other = attach(createServer());
      await nextValue(other.listener('ready'));
      expect(new Set(emit.mock.contexts)).toEqual(new Set([other.brokerEngine]));
    } finally {
      emit.mockRestore();
    }
  });
});

describe('what is told', () => {
  ours('C26: an error tells the name of its class', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('divide'));
    const answer = client.call('divide');
    (await called).error(new RangeError('Cannot divide by zero'));
    expect((await answer).error).toEqual({ name: 'RangeError', message: 'Cannot divide by zero' });
  });

  test('C26: an object that occurs twice in an error is a reference the second time', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('fail'));
    const answer = client.call('fail');
    const shared = { a: 1 };
    const error = Object.assign(new Error('twice'), { first: shared, second: shared });
    (await called).error(error);
    expect((await answer).error).toEqual({
      message: 'twice',
      first: { a: 1 },
      second: { $ref: '$["first"]' },
    });
  });

  test('C27: a message that is too big closes the connection with 1009 on the wire', async () => {
    const { server, open } = await startServer({ maxPayload: 100 });
    const { client } = await open();
    const log = new EventLog().record(server, ['disconnection']);
    client.transmit('long', 'x'.repeat(200));
    expect((await client.ended()).code).toBe(1009);
    const { code } = await log.first('disconnection');
    expect([1006, 1009]).toContain(code);
  });

  ours('C28: `getBytesReceived()` counts the bytes', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const before = socket.getBytesReceived();
    expect(before).toBeGreaterThan(0);
    client.transmit('text', 'x'.repeat(1000));
    await client.fence();
    expect(socket.getBytesReceived() - before).toBeGreaterThan(1000);
  });

  test('C29: the `subscribe` event always has options, with a `data` key', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const subscribed = nextValue(socket.listener('subscribe'));
    await client.call('#subscribe', { channel: 'news' });
    expect(await subscribed).toEqual({ channel: 'news', subscriptionOptions: { data: undefined } });
  });
});
