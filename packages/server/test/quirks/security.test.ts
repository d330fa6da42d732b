import {
  deferred,
  EventLog,
  nextValue,
  ours,
  requestUpgrade,
  spawnServer,
  startServer,
  turn,
  until,
  WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, test, vi } from 'vitest';

/** Names that every plain object inherits, and the empty one. */
const INHERITED_NAMES = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__', ''];

describe('names from the wire', () => {
  ours('S1: an event may have any name, and the process and the connection go on', async () => {
    const spawned = await spawnServer();
    const client = await WireClient.connect(spawned.url);
    await client.handshake();
    for (const name of INHERITED_NAMES) {
      client.transmit(name, 1);
      client.send({ event: name, cid: 1000 });
    }
    await client.fence();
    expect(spawned.exit).toBeUndefined();
    expect(client.closeInfo).toBeUndefined();
    const next = await WireClient.connect(spawned.url);
    expect(await next.handshake()).toMatchObject({ data: { isAuthenticated: false } });
  });

  ours('S1: an event of an inherited name reaches the receiver and the procedure of that name', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    for (const name of INHERITED_NAMES) {
      const heard = nextValue(socket.receiver(name));
      const called = nextValue(socket.procedure(name));
      client.transmit(name, `sent to ${name}`);
      const answer = client.call(name, 'a question');
      expect(await heard).toBe(`sent to ${name}`);
      (await called).end(`answer of ${name}`);
      expect(await answer).toMatchObject({ data: `answer of ${name}` });
    }
  });

  test('S1: a fault while a packet is processed is an error event, and the next packet is processed', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    const faults = nextValue(socket.listener('error'));
    vi.spyOn(server.brokerEngine, 'subscribeSocket').mockImplementationOnce(() => {
      throw new TypeError('broken broker');
    });
    await client.call('#subscribe', { channel: 'news' });
    expect((await faults).error).toMatchObject({ message: expect.stringContaining('broken broker') });
    expect(await client.call('#subscribe', { channel: 'news' })).not.toHaveProperty('error');
  });

  ours('S2: a channel may have any name, and no object of the process gets a property', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    for (const channel of INHERITED_NAMES) {
      expect(await client.call('#subscribe', { channel })).not.toHaveProperty('error');
      await client.call('#publish', { channel, data: `hello ${channel}` });
      expect(await client.next(({ event }) => event === '#publish')).toEqual({
        event: '#publish',
        data: JSON.parse(JSON.stringify({ channel, data: `hello ${channel}` })),
      });
    }
    expect(socket.subscriptions().toSorted()).toEqual(INHERITED_NAMES.toSorted());
    const inherited: string[] = [];
    for (const name in {}) inherited.push(name);
    expect(inherited).toEqual([]);
    expect(Object.keys(Object)).toEqual([]);
  });

  ours('S2: the broker and the exchange know a channel of any name', async () => {
    const { server, open } = await startServer();
    const { client } = await open();
    for (const channel of INHERITED_NAMES) {
      expect(server.brokerEngine.isSubscribed(channel)).toBe(false);
      expect(server.exchange.isSubscribed(channel)).toBe(false);
      await client.call('#subscribe', { channel });
      expect(server.brokerEngine.isSubscribed(channel)).toBe(true);
      const heard = nextValue(server.exchange.subscribe(channel));
      await client.call('#publish', { channel, data: 1 });
      expect(await heard).toBe(1);
    }
    expect(server.brokerEngine.subscriptions().toSorted()).toEqual(INHERITED_NAMES.toSorted());
  });

  ours('S3: unsubscribing from a channel that is not held changes no count', async () => {
    const { open } = await startServer({ socketChannelLimit: 1 });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'held' });
    for (const channel of INHERITED_NAMES) {
      expect(socket.isSubscribed(channel)).toBe(false);
      expect(await client.call('#unsubscribe', channel)).toMatchObject({ error: { name: 'BrokerError' } });
    }
    expect(socket.channelSubscriptionsCount).toBe(1);
    expect(await client.call('#subscribe', { channel: 'one too many' })).toHaveProperty('error');
  });
});

describe('the handshake', () => {
  ours('S5: a second handshake is answered with an error and changes nothing', async () => {
    const { server, open } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(server, ['connection', 'closure']);
    const again = await client.call('#handshake', { authToken: null });
    expect(again.error).toMatchObject({ name: 'InvalidActionError' });
    await client.fence();
    expect(log.events).toEqual([]);
    expect(server.clientsCount).toBe(1);
    expect(server.clients[client.id]).toBe(socket);

    client.close();
    await log.first('closure');
    await until(() => server.clientsCount === 0);
  });

  ours('S5: a second handshake does not wait for handshake middleware', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) action.allow();
    });
    const { client } = await open();
    expect(await client.call('#handshake')).toHaveProperty('error');
    await client.fence();
  });

  ours('S5: of two pipelined handshakes the first one counts', async () => {
    const { server, connect } = await startServer();
    const log = new EventLog().record(server, ['connection']);
    const client = await connect();
    client.send({ event: '#handshake', cid: 1 });
    client.send({ event: '#handshake', cid: 2 });
    expect(await client.next(({ rid }) => rid === 1)).toHaveProperty('data.id');
    expect(await client.next(({ rid }) => rid === 2)).toMatchObject({
      error: { name: 'InvalidActionError' },
    });
    await client.fence();
    expect(log.events).toHaveLength(1);
    expect(server.clientsCount).toBe(1);
  });

  ours('S6: a peer that leaves during its handshake never becomes a client', async () => {
    const { server, connect } = await startServer();
    const gate = deferred();
    const asked = deferred();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.HANDSHAKE_SC) {
          asked.resolve();
          await gate.promise;
        }
        action.allow();
      }
    });
    const log = new EventLog().record(server, ['connection', 'connectionAbort', 'disconnection', 'closure']);
    const begun = nextValue(server.listener('handshake'));
    const client = await connect();
    client.send({ event: '#handshake', cid: 1 });
    await asked.promise;
    client.terminate();
    await log.first('closure');
    gate.resolve();
    await turn();
    await turn();

    expect(log.names).toEqual(['connectionAbort', 'closure']);
    expect((await begun).socket.state).toBe('closed');
    expect(Object.keys(server.clients)).toEqual([]);
    expect([server.clientsCount, server.pendingClientsCount]).toEqual([0, 0]);
  });

  test('S6: a peer that leaves while its token is verified never becomes a client', async () => {
    const gate = deferred();
    const asked = deferred();
    const { server, connect } = await startServer({
      authEngine: {
        async verifyToken() {
          asked.resolve();
          await gate.promise;
          return { name: 'ada' };
        },
      },
    });
    const log = new EventLog().record(server, ['connection', 'authentication', 'closure']);
    const client = await connect();
    client.send({ event: '#handshake', data: { authToken: 'any' }, cid: 1 });
    await asked.promise;
    client.terminate();
    await log.first('closure');
    gate.resolve();
    await turn();
    await turn();
    expect(log.names).toEqual(['closure']);
    expect(server.clientsCount).toBe(0);
  });
});

describe('origins', () => {
  const cases: [origins: string | string[], origin: string, status: number][] = [
    ['nota.com:80', 'http://a.com', 403],
    ['a.com:8000', 'http://a.com', 403],
    ['a.com:80', 'http://a.com', 101],
    ['a.com:80', 'http://A.COM', 101],
    ['x.com:80, a.com:80', 'http://a.com', 101],
    ['x.com:80 a.com:80', 'http://a.com', 101],
    [['a.com:80'], 'http://a.com', 101],
    ['https://a.com:443', 'https://a.com', 101],
    ['a.com:80', 'not an origin', 403],
    ['a.com:80', 'http://user@a.com', 403],
    ['a.com:80', 'file://a.com:80', 403],
  ];

  for (const [origins, origin, status] of cases) {
    ours(
      `S7: origins are compared exactly: ${JSON.stringify(origins)} answers ${origin} with ${status}`,
      async () => {
        const { port } = await startServer({ origins });
        expect((await requestUpgrade(port, { headers: { Origin: origin } })).status).toBe(status);
      },
    );
  }
});

describe('middleware that fails', () => {
  ours('S8: a throw is an error event, and blocks the action at hand and the later ones', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) throw new Error(`cannot judge ${action.type}`);
    });
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['error']).record(server, ['error', 'warning'], 'server ');
    expect(await client.call('#subscribe', { channel: 'a' })).toHaveProperty('error');
    expect(await client.call('#subscribe', { channel: 'b' })).toHaveProperty('error');
    expect(socket.subscriptions()).toEqual([]);
    const errors = log.events.map(({ payload }) => Object.values(payload)[0]);
    expect(errors).toContainEqual(expect.objectContaining({ message: 'cannot judge subscribe' }));
  });

  ours('S8: a throw on one socket leaves the others alone', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        if (action.type === action.SUBSCRIBE && action.channel === 'trap') throw new Error('trapped');
        action.allow();
      }
    });
    const first = await open();
    const second = await open();
    expect(await first.client.call('#subscribe', { channel: 'trap' })).toHaveProperty('error');
    expect(await second.client.call('#subscribe', { channel: 'a' })).not.toHaveProperty('error');
  });

  ours('S8: a throw in handshake middleware refuses the connection', async () => {
    const { server, port } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async () => {
      throw new Error('no judge today');
    });
    const { status } = await requestUpgrade(port);
    expect(status).toBe(401);
  });

  ours('S8: a throw in outbound middleware withholds the message and nothing else', async () => {
    const { server, open } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) throw new Error(`cannot judge ${action.type}`);
    });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await server.exchange.invokePublish('a', 1);
    void socket.transmit('still', 'here');
    expect(await client.next()).toEqual({ event: 'still', data: 'here' });
  });
});

describe('disconnect()', () => {
  const cases: [name: string, code: unknown, reason: string | undefined][] = [
    ['an illegal code', 999, 'why'],
    ['a reserved code', 1005, undefined],
    ['a code of no range', 2000, undefined],
    ['a code that is no number', 'soon', undefined],
    ['a long reason', 4100, 'ü'.repeat(100)],
  ];

  for (const [name, code, reason] of cases) {
    ours(`S9: \`disconnect()\` with ${name} still ends the connection`, async () => {
      const { server, open } = await startServer();
      const { client, socket } = await open();
      await socket.disconnect(code as number, reason);
      const { code: seen, reason: text } = await client.ended();
      expect(seen === 1000 || seen >= 3000).toBe(true);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
      expect((reason ?? '').startsWith(text)).toBe(true);
      await until(() => server.clientsCount === 0);
    });
  }
});

describe('cost and content', () => {
  test('S11: a pong that nobody listens to costs no decoding and no event', async () => {
    const decode = vi.fn((text: unknown) => JSON.parse(String(text)) as unknown);
    const { open } = await startServer({
      codecEngine: { decode, encode: (value: unknown) => JSON.stringify(value) },
    });
    const { client, socket } = await open();
    await client.fence();
    decode.mockClear();
    const emit = vi.spyOn(socket, 'emit');
    for (let count = 0; count < 50; count += 1) client.pong();
    await client.fence();
    expect(decode).toHaveBeenCalledTimes(2);
    expect(emit.mock.calls.filter(([name]) => (name as string) === 'raw')).toEqual([]);
    expect(socket.getInboundBackpressure()).toBe(0);
  });

  test('S11: a pong still reaches those who listen to `message`', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const heard = nextValue(socket.listener('message'));
    client.pong();
    expect(await heard).toEqual({ message: '' });
  });

  ours('S12: the body of a refused upgrade is plain text', async () => {
    const { server, port } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
      for await (const action of stream) action.block(new Error('<b>not</b> you'));
    });
    const { status, headers, body } = await requestUpgrade(port);
    expect(status).toBe(401);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(body).toBe('<b>not</b> you');
  });

  test('S13: an object of the shape of a Buffer is published as base64, as ever', async () => {
    const { open } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'news' });
    client.transmit('#publish', { channel: 'news', data: { type: 'Buffer', data: [104, 105] } });
    expect(await client.next()).toEqual({
      event: '#publish',
      data: { channel: 'news', data: { base64: true, data: 'aGk=' } },
    });
  });
});
