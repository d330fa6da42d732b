import type { AGServer } from '@socketcluster-ts/server';
import {
  consume,
  deferred,
  nextValue,
  ours,
  requestUpgrade,
  type StartedServer,
  startServer,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** A function that fails at the first action, in one of the ways functions fail. */
function failing(how: string): (stream: AsyncIterable<unknown>) => Promise<void> | void {
  if (how === 'throws at once') {
    return () => {
      throw new Error('broken middleware');
    };
  }
  return async (stream) => {
    for await (const action of stream) {
      if (how === 'throws in its loop') throw new Error(`broken middleware ${typeof action}`);
    }
  };
}

const isBroken = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('broken middleware');

/** Resolves when the failure was told to the application, as an error or as a warning of the server. */
const told = ({ errors, warnings }: StartedServer): Promise<void> =>
  until(() => [...errors, ...warnings].some(isBroken));

describe('a middleware function that fails', () => {
  for (const how of ['throws at once', 'throws in its loop'] as const) {
    ours(`inbound: ${how}: the call is refused, the failure is emitted, the process lives`, async () => {
      const { open, server, warning } = await startServer();
      server.setMiddleware(server.MIDDLEWARE_INBOUND, failing(how));
      const { client } = await open();
      expect(await client.call('asked')).toMatchObject({ rid: 2, error: { message: expect.any(String) } });
      expect(await warning(isBroken)).toBeInstanceOf(Error);
      expect(await client.call('#publish', { channel: 'c' })).toMatchObject({ rid: 3, error: {} });
      expect(await client.call('#subscribe', { channel: 'c' })).toMatchObject({ rid: 4, error: {} });
    });

    ours(`inboundRaw: ${how}: frames are dropped, the failure is emitted`, async () => {
      const { open, connect, server, warning } = await startServer();
      const { client: before } = await open();
      server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, failing(how));
      const client = await connect();
      client.send({ event: '#handshake', cid: 1 });
      expect(await warning(isBroken)).toBeInstanceOf(Error);
      expect(client.received).toEqual([]);
      expect(before.closeInfo).toBeUndefined();
    });

    ours(`outbound: ${how}: nothing is delivered to that socket, other packets are`, async () => {
      const { open, server, warning } = await startServer();
      server.setMiddleware(server.MIDDLEWARE_OUTBOUND, failing(how));
      const { client, socket } = await open();
      await client.call('#subscribe', { channel: 'c' });
      await server.exchange.invokePublish('c', 1);
      expect(await warning(isBroken)).toBeInstanceOf(Error);
      await server.exchange.invokePublish('c', 2);
      await socket.transmit('told', 3);
      expect(await client.next()).toEqual({ event: 'told', data: 3 });
    });

    ours(`handshake: ${how}: the upgrade is refused, the failure is emitted`, async () => {
      const started = await startServer();
      const { port, server } = started;
      server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, failing(how));
      expect(await requestUpgrade(port)).toMatchObject({ status: 401 });
      await told(started);
      server.removeMiddleware(server.MIDDLEWARE_HANDSHAKE);
      expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    });
  }

  ours('in HANDSHAKE_SC has the handshake refused', async () => {
    const started = await startServer();
    const { connect, server } = started;
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.HANDSHAKE_SC) throw new Error('broken middleware');
        action.allow();
      }),
    );
    const client = await connect();
    expect(await client.handshake()).toMatchObject({ rid: 1, error: {} });
    expect(await client.ended()).toMatchObject({ code: 4008 });
    await told(started);
    expect(server.clientsCount).toBe(0);
  });

  ours('does not show the client its own error, which is no answer of the application', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, failing('throws in its loop'));
    const { client } = await open();
    expect(JSON.stringify(await client.call('asked'))).not.toContain('broken middleware');
  });

  ours('touches no other socket', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.INVOKE) throw new Error('broken middleware');
        action.allow();
      }),
    );
    const { client: ann } = await open();
    const { client: bob } = await open();
    await ann.call('asked');
    await bob.fence();
  });
});

describe('a middleware that is set while sockets are connected', () => {
  const transmitted = async (server: AGServer, prefix: string): Promise<void> => {
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.TRANSMIT) action.allow({ data: `${prefix}${String(action.data)}` });
        else action.allow();
      }),
    );
  };

  ours('does not stop them', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await transmitted(server, 'seen ');
    const received = nextValue(socket.receiver('told'));
    client.transmit('told', 'x');
    expect(['x', 'seen x']).toContain(await received);
    await client.fence();
  });

  ours('of any kind does not stop them', async () => {
    const { open, server } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    for (const type of [
      server.MIDDLEWARE_INBOUND_RAW,
      server.MIDDLEWARE_INBOUND,
      server.MIDDLEWARE_OUTBOUND,
    ]) {
      server.setMiddleware(type, (stream: AsyncIterable<{ allow(): void }>) =>
        consume(stream, (action) => action.allow()),
      );
    }
    expect(await client.call('#publish', { channel: 'c', data: 1 })).toEqual({ rid: 3 });
    await client.next((packet) => packet.event === '#publish');
  });

  test('sees the sockets that connect from then on', async () => {
    const { open, server } = await startServer();
    await transmitted(server, 'seen ');
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('told'));
    client.transmit('told', 'x');
    expect(await received).toBe('seen x');
  });

  test('and removed again leaves actions to themselves', async () => {
    const { open, server } = await startServer();
    await transmitted(server, 'seen ');
    const { client, socket } = await open();
    server.removeMiddleware(server.MIDDLEWARE_INBOUND);
    expect(server.hasMiddleware(server.MIDDLEWARE_INBOUND)).toBe(false);
    const received = nextValue(socket.receiver('told'));
    client.transmit('told', 'x');
    expect(await received).toBe('x');
  });

  test('in place of another one does not stop the sockets of the other', async () => {
    const { open, server } = await startServer();
    await transmitted(server, 'first ');
    const { client, socket } = await open();
    client.transmit('told', 'warm-up');
    await client.fence();
    server.removeMiddleware(server.MIDDLEWARE_INBOUND);
    await transmitted(server, 'second ');
    const received = nextValue(socket.receiver('told'));
    client.transmit('told', 'x');
    expect(await received).toMatch(/^(first |second )?x$/);
    const later = await open();
    const seen = nextValue(later.socket.receiver('told'));
    later.client.transmit('told', 'y');
    expect(await seen).toBe('second y');
  });
});

describe('a middleware that waits', () => {
  test('holds up its own socket only', async () => {
    const { open, server } = await startServer();
    const gate = deferred();
    const reached = deferred();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, async (action) => {
        if (action.type === action.INVOKE) {
          reached.resolve();
          await gate.promise;
        }
        action.allow();
      }),
    );
    const { client: slow, socket } = await open();
    const { client: quick } = await open();
    void consume(socket.procedure('asked'), (request) => {
      request.end('late');
    });
    const answer = slow.call('asked');
    await reached.promise;
    await quick.fence();
    expect(slow.received).toHaveLength(1);
    gate.resolve();
    expect(await answer).toMatchObject({ data: 'late' });
  });

  test('for ever does not keep its socket from closing, nor the server', async () => {
    const { open, server, close } = await startServer();
    const reached = deferred();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, () => {
        reached.resolve();
        return new Promise(() => {});
      }),
    );
    const { client } = await open();
    const closed = nextValue(server.listener('closure'));
    client.transmit('told');
    await reached.promise;
    client.close(1000);
    expect(await closed).toMatchObject({ code: 1000 });
    expect(server.clientsCount).toBe(0);
    await close();
  });
});
