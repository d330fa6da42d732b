import { fileURLToPath } from 'node:url';
import {
  encodeFrame,
  ours,
  RawConnection,
  type SpawnedServer,
  spawnServer,
  turn,
  upgradeRequest,
  WireClient,
} from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect } from 'vitest';

const app = fileURLToPath(new URL('./survival-app.ts', import.meta.url));

const RESERVED = [
  '#handshake',
  '#authenticate',
  '#removeAuthToken',
  '#subscribe',
  '#unsubscribe',
  '#publish',
  '#setAuthToken',
  '#kickOut',
  '#disconnect',
];
const anyName = fc.oneof(
  fc.constantFrom(...RESERVED),
  fc.constantFrom(
    'echo',
    'fail',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
    'x'.repeat(256),
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  anyName,
  fc.constant({ type: 'Buffer', data: [1, 'x', -1] }),
);
const anyCid = fc.oneof(fc.nat(20), fc.double(), fc.constantFrom('1', null, true, [], {}, 1e308));
const anyPayload = fc.oneof(
  anyValue,
  fc.record(
    { channel: fc.oneof(anyName, anyValue), data: anyValue, waitForAuth: anyValue },
    { requiredKeys: [] },
  ),
  fc.record({ authToken: anyValue }),
);
const anyError = fc.oneof(anyValue, fc.record({ name: anyValue, message: anyValue, stack: anyValue }));
const anyPacket = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ event: anyName, data: anyPayload, cid: anyCid }, { requiredKeys: ['event'] }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ rid: anyCid, data: anyValue, error: anyError }, { requiredKeys: ['rid'] }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ event: anyValue, rid: anyValue, cid: anyValue }, { requiredKeys: [] }),
  },
  { weight: 1, arbitrary: anyValue },
);
const anyText = fc.oneof(
  { weight: 6, arbitrary: anyPacket.map((packet) => JSON.stringify(packet) ?? '') },
  { weight: 3, arbitrary: fc.array(anyPacket, { maxLength: 20 }).map((packets) => JSON.stringify(packets)) },
  {
    weight: 1,
    arbitrary: fc.tuple(anyPacket, fc.nat(60)).map(([packet, end]) => JSON.stringify(packet).slice(0, end)),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString()) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '#1',
      '#2',
      '[]',
      '{}',
      '[[]]',
      'null',
      '[null]',
      '{"event":"echo","cid":1e999}',
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .nat(3000)
      .map((depth) => `{"event":"echo","cid":1,"data":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  },
);
const anyFrame = fc.oneof(
  { weight: 5, arbitrary: anyText },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }) },
  { weight: 1, arbitrary: anyText.map((text) => Buffer.from(text)) },
);

/** Shows that the process lives, has been polluted by nothing and forgot nobody, by what a fresh client can do. */
async function expectWorking(spawned: SpawnedServer): Promise<void> {
  expect(spawned.exit, spawned.stderr).toBeUndefined();
  const client = await WireClient.connect(spawned.url);
  expect(await client.handshake()).toMatchObject({ rid: 1, data: { isAuthenticated: false } });
  expect(await client.call('#subscribe', { channel: 'fresh' })).toMatchObject({ rid: 2 });
  client.transmit('#publish', { channel: 'fresh', data: 'news' });
  expect(await client.next((packet) => packet.event === '#publish')).toEqual({
    event: '#publish',
    data: { channel: 'fresh', data: 'news' },
  });
  expect(await client.call('echo', { a: 1 })).toMatchObject({ data: { a: 1 } });
  const fresh = { polluted: [], keys: 1, clientsCount: 1, pendingClientsCount: 0, channels: ['fresh'] };
  let state: unknown;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    state = (await client.call('state')).data;
    if (JSON.stringify(state) === JSON.stringify(fresh)) break;
    await turn();
  }
  expect(state).toEqual(fresh);
  client.terminate();
  await client.closed;
}

/** Runs a property against one server process, which has to work after every run. */
async function survives<T>(
  arbitrary: fc.Arbitrary<T>,
  attack: (spawned: SpawnedServer, value: T) => Promise<void>,
  options: { runs: number; server?: Record<string, unknown> },
): Promise<void> {
  const spawned = await spawnServer({ setup: app, options: options.server ?? {} });
  await fc.assert(
    fc.asyncProperty(arbitrary, async (value) => {
      await attack(spawned, value);
      await expectWorking(spawned);
    }),
    { numRuns: options.runs, interruptAfterTimeLimit: 40_000 },
  );
  expect(spawned.stderr).not.toMatch(/Error|UnhandledPromise/);
}

async function sendAll(client: WireClient, frames: readonly (string | Uint8Array)[]): Promise<void> {
  for (const frame of frames) {
    if (client.closeInfo !== undefined) break;
    if (typeof frame === 'string') client.send(frame);
    else client.sendBinary(frame);
  }
  // The order of a connection is kept, so the answer shows that all of it was processed, if it is still open.
  if (client.closeInfo === undefined) {
    client.send({ event: 'state', cid: 987_654 });
    await Promise.race([client.closed, client.next((packet) => packet.rid === 987_654)]).catch(() => {});
  }
  client.terminate();
  await client.closed;
}

describe('the server survives, and serves the next client, after', { timeout: 60_000 }, () => {
  ours('any frames on an open socket', () =>
    survives(
      fc.array(anyFrame, { minLength: 1, maxLength: 15 }),
      async (spawned, frames) => {
        const client = await WireClient.connect(spawned.url);
        await client.handshake();
        await sendAll(client, frames);
      },
      { runs: 120 },
    ),
  );

  ours('any frames on a socket that has not shaken hands', () =>
    survives(
      fc.array(anyFrame, { minLength: 1, maxLength: 5 }),
      async (spawned, frames) => {
        await sendAll(await WireClient.connect(spawned.url), frames);
      },
      { runs: 60 },
    ),
  );

  ours('any frames on a socket that need not shake hands', () =>
    survives(
      fc.array(anyFrame, { minLength: 1, maxLength: 15 }),
      async (spawned, frames) => {
        await sendAll(await WireClient.connect(spawned.url), frames);
      },
      { runs: 60, server: { strictHandshake: false } },
    ),
  );

  ours('any tokens', () => {
    const part = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
      fc
        .record({
          alg: fc.constantFrom('none', 'HS256', 'HS512', 'RS256', 'EdDSA', '', null),
          typ: fc.constant('JWT'),
          kid: anyValue,
        })
        .map((value) => JSON.stringify(value)),
      fc.string(),
    );
    const jwt = fc
      .array(part, { minLength: 1, maxLength: 5 })
      .map((parts) => parts.map((text) => Buffer.from(text).toString('base64url')).join('.'));
    return survives(
      fc.array(fc.oneof(jwt, anyValue), { minLength: 1, maxLength: 6 }),
      async (spawned, tokens) => {
        const client = await WireClient.connect(spawned.url);
        client.send({ event: '#handshake', data: { authToken: tokens[0] }, cid: 1 });
        await sendAll(
          client,
          tokens.map((data, index) => JSON.stringify({ event: '#authenticate', data, cid: index + 2 })),
        );
      },
      { runs: 60 },
    );
  });

  ours('any bytes, before and after the upgrade, and a reset', () =>
    survives(
      fc.record({
        early: fc.oneof(fc.constant(undefined), fc.uint8Array({ maxLength: 80 })),
        frames: fc.array(
          fc.record({
            payload: fc.oneof(
              fc.uint8Array({ maxLength: 200 }),
              anyText.map((text) => Buffer.from(text)),
            ),
            opcode: fc.nat(15),
            fin: fc.boolean(),
            mask: fc.oneof(
              { weight: 9, arbitrary: fc.constant(true) },
              { weight: 1, arbitrary: fc.constant(false) },
            ),
            reserved: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
          }),
          { maxLength: 8 },
        ),
        late: fc.uint8Array({ maxLength: 80 }),
        end: fc.constantFrom('reset', 'end'),
      }),
      async (spawned, { early, frames, late, end }) => {
        const raw = await RawConnection.open(spawned.port);
        if (early !== undefined) raw.write(early);
        else {
          raw.write(upgradeRequest(spawned.port));
          await raw.head();
          for (const { payload, ...options } of frames) raw.writeFrame(payload, options);
          raw.write(late);
        }
        await turn();
        raw[end]();
        if (end === 'reset') await raw.closed;
        else raw.reset();
      },
      { runs: 100 },
    ),
  );

  ours('connections that end in the middle of anything', () =>
    survives(
      fc.array(fc.record({ text: anyText, end: fc.constantFrom('reset', 'end', 'stay') }), {
        minLength: 1,
        maxLength: 10,
      }),
      async (spawned, connections) => {
        const opened = await Promise.all(
          connections.map(async ({ text, end }) => {
            const raw = await RawConnection.upgrade(spawned.port);
            const shake = encodeFrame('{"event":"#handshake","cid":1}');
            raw.write(Buffer.concat([shake, encodeFrame(text), encodeFrame(text).subarray(0, 3)]));
            if (end !== 'stay') raw[end]();
            return raw;
          }),
        );
        for (const raw of opened) raw.reset();
      },
      { runs: 40 },
    ),
  );
});
