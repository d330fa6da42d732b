import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  afterTest,
  answer,
  collected,
  deferred,
  nextValue,
  onConnection,
  serverModule,
  socketOf,
  startServer,
  take,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connectClient, createClient } from './client.js';
import { leaveOutWith } from './left-out.js';

const authKey = 'a secret of at least thirty-two bytes';

/** What no page of the documentation tells, and applications do all the same. */
describe('the last words of a server', () => {
  test('to a channel arrive before it closes', async () => {
    const started = await startServer();
    const client = await connectClient(started, { autoReconnect: false });
    const heard = nextValue(client.subscribe('c'));
    await until(() => client.isSubscribed('c'));
    await started.server.exchange.invokePublish('c', 'the last');
    await started.server.close();
    expect(await heard).toBe('the last');
  });

  test('to a caller arrive before its connection is cut', async () => {
    const started = await startServer();
    onConnection(started, (socket) => {
      void (async () => {
        const request = await socket.procedure('bye').once();
        request.end('the last');
        socket.terminate();
      })();
    });
    const client = await connectClient(started, { autoReconnect: false });
    expect(await client.invoke('bye')).toBe('the last');
  });
});

describe('names of channels', () => {
  test('may be numbers at the server', async () => {
    const started = await startServer();
    const { server } = started;
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    await nextValue(client.subscribe('5').listener('subscribe'));
    expect(socket.isSubscribed(5)).toBe(true);
    const heard = collected(server.exchange.subscribe(5 as never));
    await client.invokePublish('5', 'from a client');
    await until(() => heard.length === 1);
    expect(server.exchange.isSubscribed(5)).toBe(true);
    await socket.kickOut(5 as never, 'enough');
    expect(socket.isSubscribed('5')).toBe(false);
  });
});

describe('outbound middleware', () => {
  test.each(['assigns', 'changes in place'])('that %s the data of an action is heard', async (how) => {
    const started = await startServer();
    const { server } = started;
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) {
        const data = action.data as unknown[];
        if (how === 'assigns') action.data = data.filter((item) => item !== 'secret');
        else data.splice(data.indexOf('secret'), data.includes('secret') ? 1 : 0);
        action.allow();
      }
    });
    const clients = [await connectClient(started), await connectClient(started)];
    const heard = clients.map((client) => nextValue(client.subscribe('c')));
    await until(() => clients.every((client) => client.isSubscribed('c')));
    await clients[0]?.invokePublish('c', ['secret', 1, 2]);
    expect(await Promise.all(heard)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('gets what was published, whatever becomes of it afterwards', async () => {
    leaveOutWith('the published server', 'what waits there is what the object has become');
    const started = await startServer();
    const { server } = started;
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) {
        await turn();
        action.allow();
      }
    });
    const client = await connectClient(started);
    const heard = take(client.subscribe('c'), 3);
    await until(() => client.isSubscribed('c'));
    const reused = { n: 0 };
    for (let n = 1; n <= 3; n += 1) {
      reused.n = n;
      void server.exchange.transmitPublish('c', reused);
    }
    reused.n = 99;
    expect(await heard).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('may change an instance of a class', async () => {
    class Counter {
      n = 1;
    }
    const started = await startServer();
    const { server } = started;
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) {
        (action.data as Counter).n = 2;
        action.allow();
      }
    });
    const client = await connectClient(started);
    const heard = nextValue(client.subscribe('c'));
    await until(() => client.isSubscribed('c'));
    await server.exchange.invokePublish('c', new Counter());
    expect(await heard).toEqual({ n: 2 });
  });

  test('may be watched by replacing allow() and block()', async () => {
    const started = await startServer();
    const { server } = started;
    const seen: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      for await (const action of stream) {
        const { allow } = action;
        Object.assign(action, {
          allow: (...packet: Parameters<typeof allow>) => {
            seen.push(action.type);
            allow.apply(action, packet);
          },
        });
        action.allow();
      }
    });
    const client = await connectClient(started);
    await client.invokePublish('c', 1);
    expect(seen).toEqual(['publishIn']);
  });
});

describe('what an application replaces', () => {
  test('transmitPublish() of the broker sees every publish', async () => {
    const started = await startServer();
    const { server } = started;
    const seen: unknown[] = [];
    const original = server.brokerEngine.transmitPublish.bind(server.brokerEngine);
    server.brokerEngine.transmitPublish = (channel, data, ...rest) => {
      seen.push(data);
      return original(channel, data, ...rest);
    };
    const client = await connectClient(started);
    const heard = take(client.subscribe('c'), 3);
    await until(() => client.isSubscribed('c'));
    await client.invokePublish('c', 1);
    await server.exchange.invokePublish('c', 2);
    await server.exchange.transmitPublish('c', 3);
    expect(await heard).toEqual([1, 2, 3]);
    expect(seen).toEqual([1, 2, 3]);
  });

  test('transmit() of all sockets sees messages of channels, kick outs and tokens', async () => {
    const started = await startServer({ authKey });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const prototype = Object.getPrototypeOf(socket) as typeof socket;
    const original = Reflect.get(prototype, 'transmit');
    afterTest(() => Reflect.set(prototype, 'transmit', original));
    const seen: unknown[] = [];
    Reflect.set(prototype, 'transmit', function (this: typeof socket, ...given: unknown[]) {
      seen.push(given[0]);
      return Reflect.apply(original, this, given);
    });
    const heard = nextValue(client.subscribe('c'));
    await until(() => client.isSubscribed('c'));
    await started.server.exchange.invokePublish('c', 1);
    expect(await heard).toBe(1);
    const kicked = nextValue(client.listener('kickOut'));
    await socket.kickOut('c');
    await kicked;
    const authenticated = nextValue(client.listener('authenticate'));
    await socket.setAuthToken({ user: 'ada' });
    await authenticated;
    expect(seen).toEqual(['#publish', '#kickOut', '#setAuthToken']);
  });

  test('a request creator may add to the default one', async () => {
    const started = await startServer({
      requestCreator(socket, id, name, data) {
        return Object.assign(socket.defaultRequestCreator(socket, id, name, data), { greeting: 'Hello' });
      },
    });
    onConnection(started, (socket) => {
      void (async () => {
        for await (const request of socket.procedure('greet'))
          request.end(`${Reflect.get(request, 'greeting')} ${String(request.data)}`);
      })();
    });
    const client = await connectClient(started);
    expect(await client.invoke('greet', 'Ann')).toBe('Hello Ann');
  });

  test('a verification key may be asked for with a callback', async () => {
    const started = await startServer({ authKey });
    const { server } = started;
    const kids: unknown[] = [];
    const findKey = (
      header: { kid?: string },
      callback: (error: Error | null, key?: string) => void,
    ): void => {
      kids.push(header.kid);
      setImmediate(callback, null, 'another secret of at least 32 bytes!');
    };
    server.verificationKey = findKey as never;
    const token = jwt.sign({ user: 'ada' }, 'another secret of at least 32 bytes!', { keyid: 'second' });
    const client = await connectClient(started);
    expect(await client.authenticate(token)).toMatchObject({ isAuthenticated: true });
    expect(kids).toContain('second');
  });
});

describe('a verdict that comes when the client has left', () => {
  test.each(['allow', 'block'] as const)('by %s() has no effect, and ends nothing', async (verdict) => {
    const started = await startServer();
    const { server } = started;
    const asked = deferred();
    const decide = deferred();
    const thrown: unknown[] = [];
    const judge = async (action: { allow(): void; block(): void }): Promise<void> => {
      asked.resolve();
      await decide.promise;
      try {
        action[verdict]();
      } catch (error) {
        thrown.push(error);
      }
    };
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      // The loop goes on meanwhile.
      for await (const action of stream) void judge(action);
    });
    const client = await connectClient(started);
    void client.transmit('anything');
    await asked.promise;
    client.disconnect();
    await until(() => server.clientsCount === 0);
    await turn();
    decide.resolve();
    await turn();
    expect(thrown).toEqual([]);
  });
});

test('records of sockets and channels tell what is in them', async () => {
  const started = await startServer();
  const { server } = started;
  const client = await connectClient(started);
  const socket = await socketOf(started, client);
  await nextValue(client.subscribe('c').listener('subscribe'));
  // What applications write, and a linter would not.
  const has = (record: object, name: string): unknown =>
    (record as { hasOwnProperty(key: string): boolean }).hasOwnProperty(name);
  expect(has(server.clients, socket.id)).toBe(true);
  expect(has(server.clients, 'toString')).toBe(false);
  expect(has(server.pendingClients, socket.id)).toBe(false);
  expect('c' in socket.channelSubscriptions).toBe(true);
});

test('a burst of calls that are answered at once is answered whole', async () => {
  const started = await startServer();
  onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
  const client = await connectClient(started);
  const numbers = Array.from({ length: 3000 }, (_, index) => index);
  const answers = await Promise.all(numbers.map((n) => client.invoke('echo', n)));
  expect(answers).toEqual(numbers);
});

test('an application may answer the upgrade itself, and hand the WebSocket over', async () => {
  const front = createServer();
  const back = createServer();
  const server = serverModule.attach(back, { path: '/somewhere/' });
  afterTest(async () => {
    await server.close();
    front.closeAllConnections();
    front.close();
  });
  front.on('upgrade', (request, socket, head) => {
    const { wsServer } = server as unknown as {
      wsServer: {
        handleUpgrade(...given: unknown[]): void;
        emit(event: string, ...given: unknown[]): void;
      };
    };
    request.url = `/somewhere/${request.url?.includes('late') ? '?late' : ''}`;
    wsServer.handleUpgrade(request, socket, head, (ws: WebSocket) => {
      const handOver = (): unknown => wsServer.emit('connection', ws, request);
      if (request.url?.includes('late')) ws.once('close', () => setImmediate(handOver));
      else handOver();
    });
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as { port: number };
  const client = createClient({ port });
  await nextValue(client.listener('connect'));
  expect(server.clientsCount).toBe(1);
  const socket = Object.values(server.clients)[0];
  if (socket !== undefined) answer(socket, 'echo', (data) => data);
  // One that has left when it is handed over harms nobody.
  const left = new WebSocket(`ws://127.0.0.1:${port}/?late`);
  await once(left, 'open');
  left.terminate();
  await turn();
  expect(await client.invoke('echo', 1)).toBe(1);
});

test('a falsy token of the handshake is none', async () => {
  const started = await startServer({ authKey });
  const { server } = started;
  const shown: unknown[] = [];
  server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
    for await (const action of stream) {
      if (action.type === action.HANDSHAKE_SC) shown.push(action.data.signedAuthToken);
      action.allow();
    }
  });
  const ws = new WebSocket(`ws://127.0.0.1:${started.port}/socketcluster/`);
  afterTest(() => ws.terminate());
  await once(ws, 'open');
  ws.send(JSON.stringify({ event: '#handshake', data: { authToken: '' }, cid: 1 }));
  await once(ws, 'message');
  expect(shown).toEqual([null]);
});
