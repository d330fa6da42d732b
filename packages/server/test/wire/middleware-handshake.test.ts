import {
  consume,
  deferred,
  EventLog,
  nextValue,
  ours,
  startServer,
  take,
  WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** An error as applications block with. */
function nope(fields: object = {}): Error {
  return Object.assign(new Error('nope'), { name: 'NopeError' }, fields);
}

const silentRefusal = (action: string, stream: string): object => ({
  name: 'SilentMiddlewareBlockedError',
  type: stream,
  message: `The ${action} AGAction was blocked by ${stream} middleware`,
});

describe('MIDDLEWARE_INBOUND_RAW', () => {
  test('sees every frame, pongs and answers included', async () => {
    const { open, server } = await startServer();
    const seen: unknown[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, async (stream) => {
      expect(stream.type).toBe('inboundRaw');
      for await (const action of stream) {
        if (action.type === action.MESSAGE) seen.push(action.data);
        action.allow();
      }
    });
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    client.send({ rid: 1 });
    client.pong();
    client.sendBinary(Buffer.from([0, 1]));
    client.send('[{"event":"a"},{"event":"b"}]');
    await asked;
    await client.fence();
    expect(seen.slice(1, 5)).toEqual(['{"rid":1}', '', Buffer.from([0, 1]), '[{"event":"a"},{"event":"b"}]']);
  });

  test('may replace a frame, for the receivers and for the `message` event', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, (stream) =>
      consume(stream, (action) => {
        if (action.data === 'secret') action.allow({ data: '{"event":"told","data":"decoded"}' });
        else action.allow();
      }),
    );
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('told'));
    const message = nextValue(socket.listener('message'));
    client.send('secret');
    expect(await received).toBe('decoded');
    expect(await message).toEqual({ message: '{"event":"told","data":"decoded"}' });
  });

  test('may drop a frame silently, which counts as processed', async () => {
    const { open, server } = await startServer();
    const pressures: number[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, (stream) =>
      consume(stream, (action) => {
        pressures.push(action.socket.getInboundBackpressure());
        if (String(action.data).includes('told')) action.block(nope());
        else action.allow();
      }),
    );
    const { client, socket } = await open();
    const messages = take(socket.listener('message'), 2);
    client.send('{"event":"told"}');
    await client.fence();
    expect((await messages).every((event) => !String(event.message).includes('told'))).toBe(true);
    expect(client.received).toHaveLength(3);
    expect(pressures.every((pressure) => pressure >= 1)).toBe(true);
    expect(socket.getInboundBackpressure()).toBe(0);
  });
});

describe('MIDDLEWARE_HANDSHAKE', () => {
  test('blocking HANDSHAKE_SC answers with the error and closes with its statusCode', async () => {
    const { connect, server, warning } = await startServer();
    const log = new EventLog().record(server, ['connection', 'connectionAbort', 'closure']);
    let error: Error | undefined;
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_SC) action.block(error);
        else action.allow();
      }),
    );
    for (const [statusCode, expected] of [
      [undefined, 4008],
      [4501, 4501],
    ]) {
      error = nope(statusCode === undefined ? {} : { statusCode });
      const client = await connect();
      expect(await client.handshake()).toEqual({
        rid: 1,
        error: { name: 'NopeError', message: 'nope', statusCode: expected },
      });
      expect(await client.ended()).toEqual({ code: expected, reason: '' });
    }
    await log.times('closure', 2);
    expect(log.names).toEqual(['connectionAbort', 'closure', 'connectionAbort', 'closure']);
    expect(await warning()).toMatchObject({ name: 'NopeError' });
  });

  test('blocking HANDSHAKE_SC without an error answers with a silent one and closes with 4008', async () => {
    const { connect, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_SC) action.block();
        else action.allow();
      }),
    );
    const client = await connect();
    expect(await client.handshake()).toEqual({
      rid: 1,
      error: { ...silentRefusal('handshakeSC', 'handshake'), statusCode: 4008 },
    });
    expect(await client.ended()).toMatchObject({ code: 4008 });
  });

  ours('blocking HANDSHAKE_SC with a string closes with 4008', async () => {
    const { connect, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_SC) action.block('go away');
        else action.allow();
      }),
    );
    const client = await connect();
    expect(await client.handshake()).toEqual({ rid: 1, error: 'go away' });
    expect(await client.ended()).toEqual({ code: 4008, reason: '' });
  });

  ours('blocking HANDSHAKE_SC with a silent error keeps its statusCode', async () => {
    const { connect, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_SC) action.block(nope({ silent: true, statusCode: 4502 }));
        else action.allow();
      }),
    );
    const client = await connect();
    expect((await client.handshake()).error).toMatchObject(silentRefusal('handshakeSC', 'handshake'));
    expect(await client.ended()).toMatchObject({ code: 4502 });
  });

  test('sees the live authentication result in HANDSHAKE_SC and may change it', async () => {
    const { server, url } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_SC) {
          expect(action.request.url).toBe('/socketcluster/?x=1');
          Object.assign(action.data, {
            authToken: { user: 'ann' },
            authState: 'authenticated',
            authTokenError: undefined,
          });
          expect(action.socket.state).toBe('connecting');
        }
        action.allow();
      }),
    );
    const connected = nextValue(server.listener('connection'));
    const client = await WireClient.connect(`${url}?x=1`);
    expect((await client.handshake()).data).toMatchObject({ isAuthenticated: true });
    expect((await connected).socket).toMatchObject({
      authToken: { user: 'ann' },
      authState: 'authenticated',
    });
  });

  test('runs one loop per connection, which ends when the handshake is through', async () => {
    const { open, server } = await startServer();
    const loops: Promise<void>[] = [];
    const types: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) => {
      expect(stream.type).toBe('handshake');
      const loop = consume(stream, (action) => {
        types.push(action.type);
        action.allow();
      });
      loops.push(loop);
      return loop;
    });
    await open();
    await open();
    expect(loops).toHaveLength(2);
    await Promise.all(loops);
    expect(types).toEqual(['handshakeWS', 'handshakeSC', 'handshakeWS', 'handshakeSC']);
  });

  test('that waits holds up its own client only', async () => {
    const { connect, open, server } = await startServer();
    const gate = deferred();
    let count = 0;
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, async (action) => {
        count += 1;
        if (count === 2) await gate.promise;
        action.allow();
      }),
    );
    const slow = await connect();
    const shaking = slow.handshake();
    const { client } = await open();
    await client.fence();
    expect(server.pendingClientsCount).toBe(1);
    gate.resolve();
    expect(await shaking).toMatchObject({ rid: 1 });
  });
});
