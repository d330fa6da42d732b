/** A server that errs, or lies: the client says so in a typed error, and everything that is in order goes on. */
import { collected, nextValue, until } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AGClientSocket, ClientOptions } from '../src/index.js';
import { type ScriptedConnection, type SentPacket, scriptedServer } from './scripted-server.js';

const QUICK_RECONNECT = { initialDelay: 10, randomness: 10, multiplier: 1, maxDelay: 20 };
const GOOD_HANDSHAKE = { id: 'peer', pingTimeout: 60_000, isAuthenticated: false };

interface Setup {
  readonly client: AGClientSocket;
  readonly peer: ScriptedConnection;
  /** The `error` of every error event so far. */
  readonly errors: unknown[];
}

/** A client with a handshake that went well, and a subscription to `good`. */
async function connect(options: ClientOptions = {}): Promise<Setup> {
  const server = await scriptedServer({ status: { ext: ['abort', 'gap', 'retry'] } });
  const client = server.client(options);
  const errors: unknown[] = [];
  void (async () => {
    for await (const { error } of client.listener('error')) errors.push(error);
  })();
  client.subscribe('good');
  await until(() => client.isSubscribed('good'));
  return { client, peer: await server.connection(), errors };
}

/** Waits for a handshake and answers it. */
async function answerHandshake(peer: ScriptedConnection, data: unknown): Promise<void> {
  peer.send({ rid: (await peer.first('#handshake')).cid, data });
}

/** Resolves with the first packet, past or to come, that meets `predicate`. */
async function packetOf(
  peer: ScriptedConnection,
  predicate: (packet: SentPacket) => boolean,
): Promise<SentPacket> {
  await until(() => peer.packets.some(predicate));
  return peer.packets.find(predicate) as SentPacket;
}

/** Shows that calls are answered and messages are delivered. */
async function expectAlive({ client, peer }: Setup): Promise<void> {
  const message = nextValue(client.channel('good'));
  peer.send({ event: '#publish', data: { channel: 'good', data: 'still here' } });
  expect(await message).toBe('still here');
  const mark = `mark ${peer.packets.length}`;
  const answered = client.invoke('echo', mark);
  const call = await packetOf(peer, ({ event, data }) => event === 'echo' && data === mark);
  peer.send({ rid: call.cid, data: mark });
  expect(await answered).toBe(mark);
  expect(client.state).toBe('open');
}

function expectTyped(errors: readonly unknown[]): void {
  for (const error of errors) {
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).name).toMatch(/^[A-Z][A-Za-z]+Error$/);
    expect((error as Error).message).not.toBe('');
  }
}

const oddValues = [
  null,
  0,
  -1,
  1.5,
  1e300,
  '',
  'text',
  true,
  [],
  [[]],
  {},
  { __proto__: null },
  'x'.repeat(100_000),
];

describe('a handshake answered with nonsense', () => {
  test.each(oddValues.map((value) => [JSON.stringify(value).slice(0, 40), value]))(
    'with %s as its data, is a typed error or a connection, and the next good answer connects',
    async (_what, data) => {
      const server = await scriptedServer({ answersHandshake: false });
      const client = server.client({ autoReconnectOptions: QUICK_RECONNECT, connectTimeout: 2000 });
      const errors = collected(client.listener('error'));
      await answerHandshake(await server.connection(), data);
      await until(() => client.state !== 'connecting');
      if (client.state === 'open') client.reconnect();
      const connected = nextValue(client.listener('connect'));
      await answerHandshake(await server.connection(1), GOOD_HANDSHAKE);

      expect(await connected).toMatchObject({ id: 'peer' });
      expect(client.id).toBe('peer');
      expectTyped(errors.map(({ error }) => error));
    },
  );

  test.each([
    ['id', 5],
    ['id', null],
    ['pingTimeout', -1],
    ['pingTimeout', 'soon'],
    ['pingTimeout', 1e300],
    ['pingTimeout', null],
    ['isAuthenticated', 'yes'],
    ['authError', 5],
    ['authError', { name: {}, message: [] }],
    ['ext', 'abort'],
    ['ext', [5, null, '__proto__']],
    ['ext', {}],
    ['maxPayload', -1],
    ['maxPayload', 0],
    ['maxPayload', 'big'],
    ['maxPayload', 1e-9],
  ])('with the wrong %s %j, leaves no client that cannot be used', async (field, value) => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ autoReconnectOptions: QUICK_RECONNECT });
    const errors = collected(client.listener('error'));
    for (const name of ['one', 'two', 'three']) client.subscribe(name);
    const peer = await server.connection();
    await answerHandshake(peer, { ...GOOD_HANDSHAKE, [field]: value });
    await until(() => client.subscriptions().length === 3);
    const answered = client.invoke('echo', 1);
    peer.send({ rid: (await peer.first('echo')).cid, data: 2 });

    expect(await answered).toBe(2);
    expect(peer.of('#subscribe')).toHaveLength(3);
    expectTyped(errors.map(({ error }) => error));
  });

  test('with an error that is no error, is a connectAbort with an Error', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ autoReconnect: false });
    const failed = nextValue(client.listener('error'));
    const aborted = nextValue(client.listener('connectAbort'));
    const peer = await server.connection();
    peer.send({ rid: (await peer.first('#handshake')).cid, error: { statusCode: '__proto__', name: 7 } });

    expect((await failed).error).toBeInstanceOf(Error);
    expect(await aborted).toMatchObject({ code: 4003 });
  });
});

describe('a packet that is nonsense', () => {
  const packets: readonly unknown[] = [
    ...oddValues,
    ...[
      '#publish',
      '#kickOut',
      '#setAuthToken',
      '#removeAuthToken',
      '#gap',
      '#retry',
      '#abort',
      '#unknown',
    ].flatMap((event) => [
      { event },
      ...oddValues.map((data) => ({ event, data })),
      { event, data: { channel: 7, data: 1, token: 7, dropped: 'x', delayMs: 'y' } },
      { event, data: { channel: '__proto__', data: 1, token: '__proto__', dropped: -1, delayMs: -1 } },
      { event, data: { channel: {}, data: 1, token: 'a.b.c', dropped: 1e300, delayMs: 1e300 } },
      { event, data: {}, cid: 4 },
    ]),
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''].flatMap((event) => [
      { event },
      { event, cid: 9 },
      { event: '#publish', data: { channel: event, data: event } },
      { event: '#kickOut', data: { channel: event } },
    ]),
    ...[0, -1, 1.5, 1e300, 999, '1', null, {}, []].flatMap((number) => [
      { rid: number },
      { rid: number, data: 1 },
      { rid: number, error: { name: 'X', message: 'y' } },
      { event: 'call', cid: number },
    ]),
    ...oddValues.map((event) => ({ event, cid: 3 })),
    [{ event: 'a' }, null, [[]], 'x', { rid: 999 }],
  ];

  test('does no harm, whatever it is', async () => {
    const setup = await connect();
    for (const packet of packets) {
      setup.peer.send(packet);
      if (setup.client.authState === 'authenticated') setup.peer.send({ event: '#removeAuthToken' });
    }
    await expectAlive(setup);
    expectTyped(setup.errors);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(setup.client.subscriptions()).toEqual(['good']);
  });

  test('does no harm, in random shapes', async () => {
    const setup = await connect();
    const value = fc.jsonValue({ maxDepth: 3 });
    const channel = fc.oneof(fc.constantFrom('other', '__proto__', 'constructor', ''), value);
    const packet = fc.oneof(
      value,
      fc.record(
        {
          event: fc.oneof(
            fc.constantFrom('#publish', '#kickOut', '#setAuthToken', '#gap', '#retry', 'say'),
            value,
          ),
          data: fc.oneof(
            value,
            fc.record({ channel, data: value, token: value, dropped: value, delayMs: value }),
          ),
          cid: value,
          rid: value,
          error: value,
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(packet, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        async (list, isBatch) => {
          // A fixed `rid` may be that of the call that shows that all is well.
          // After a `#retry` that asks for an answer the server has to close.
          const harmless = list.filter(
            (item) =>
              !(Number((item as { rid?: unknown } | null)?.rid) > 0) &&
              !(
                (item as { event?: unknown } | null)?.event === '#retry' &&
                Object.hasOwn(item as object, 'cid')
              ),
          );
          fc.pre(!JSON.stringify(harmless).includes('"good"'));
          for (const frame of isBatch ? [harmless] : harmless) setup.peer.send(frame);
          await expectAlive(setup);
        },
      ),
      { numRuns: 60, seed: 7 },
    );
    expectTyped(setup.errors);
  });

  test.each([
    ['no JSON', '{"event":'],
    ['one brace', '{'],
    ['an empty batch', '[]'],
    ['bytes', new Uint8Array([1, 2, 3, 255])],
    ['a megabyte of brackets', '['.repeat(1_000_000)],
    ['data nested ten thousand deep', `{"event":"deep","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['five megabytes of text', JSON.stringify({ event: 'large', data: 'x'.repeat(5_000_000) })],
  ])('does no harm when the frame is %s', async (_what, frame) => {
    const setup = await connect();
    setup.peer.socket.send(frame);

    await expectAlive(setup);
    expectTyped(setup.errors);
  });

  test('in a batch does not take the good ones with it', async () => {
    const setup = await connect();
    const told = collected(setup.client.receiver('tell'));
    setup.peer.send([
      { event: 'tell', data: 1 },
      null,
      7,
      { rid: 'x' },
      [],
      { event: 'tell', data: 2 },
      { event: 5 },
      { event: 'tell', data: 3 },
    ]);
    await expectAlive(setup);

    expect(told).toEqual([1, 2, 3]);
  });

  test.each([
    ['an object without a name', { message: 'm' }],
    ['an object with odd fields', { name: {}, message: [], stack: 7, cause: 'c' }],
    ['an object of odd names', { name: '__proto__', message: 'm', constructor: 1 }],
    ['a list', [1]],
  ])('as the error of a call, %s, rejects that call with an Error', async (_what, error) => {
    const setup = await connect();
    const outcome = setup.client.invoke('broken').catch((reason: unknown) => reason);
    setup.peer.send({ rid: (await setup.peer.first('broken')).cid, error });

    expect(await outcome).toBeInstanceOf(Error);
    expect(await outcome).toMatchObject({ delivery: 'refused' });
    await expectAlive(setup);
  });

  test.each([5, 'broken', true])(
    'as the error of a call, %j, is what that call rejects with',
    async (error) => {
      const setup = await connect();
      const call = setup.client.invoke('broken');
      setup.peer.send({ rid: (await setup.peer.first('broken')).cid, error });

      await expect(call).rejects.toBe(error);
      await expectAlive(setup);
    },
  );

  test('that answers a call twice settles it once', async () => {
    const setup = await connect();
    const answered = setup.client.invoke('twice');
    const { cid } = await setup.peer.first('twice');
    setup.peer.send([
      { rid: cid, data: 'first' },
      { rid: cid, error: { name: 'LateError', message: 'no' } },
    ]);

    expect(await answered).toBe('first');
    await expectAlive(setup);
  });
});
