import { collected, nextValue, until } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scriptedServer } from './scripted-server.js';

const ALL = { ext: ['abort', 'gap', 'retry'] };

describe('a server that sends nonsense', () => {
  test.each<[string, unknown, string]>([
    ['an answer to no call', { rid: 77 }, 'ServerProtocolError'],
    ['an answer to a call with an impossible number', { rid: -1 }, 'ServerProtocolError'],
    ['an answer with a fraction', { rid: 0.5 }, 'ServerProtocolError'],
    ['a publish without a channel', { event: '#publish', data: { data: 1 } }, 'ServerProtocolError'],
    ['a publish without data', { event: '#publish' }, 'ServerProtocolError'],
    ['a kick out of a number', { event: '#kickOut', data: { channel: 7 } }, 'ServerProtocolError'],
    ['a token that is no text', { event: '#setAuthToken', data: { token: 7 } }, 'InvalidMessageError'],
    ['a gap without a number', { event: '#gap', data: { channel: 'a' } }, 'ServerProtocolError'],
    ['a retry without a delay', { event: '#retry', data: { delayMs: 'soon' } }, 'ServerProtocolError'],
  ])('%s is an error event, and the client goes on', async (_name, packet, name) => {
    const server = await scriptedServer({ status: ALL });
    const client = server.client();
    const messages = collected(client.subscribe('a'));
    await until(() => client.isSubscribed('a'));
    const told = nextValue(client.listener('error'));
    (await server.connection()).send([packet, { event: '#publish', data: { channel: 'a', data: 1 } }]);
    expect((await told).error).toMatchObject({ name });
    await until(() => messages.length === 1);
    expect(client.state).toBe('open');
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '#anything'])(
    'the event %j is an event like any other',
    async (event) => {
      const server = await scriptedServer();
      const client = server.client();
      const received = nextValue(client.receiver(event));
      const connection = await server.connection();
      await connection.first('#handshake');
      connection.send(`{"event":${JSON.stringify(event)},"data":1}`);
      connection.send(`{"event":${JSON.stringify(event)},"data":1,"cid":1}`);
      expect(await received).toBe(1);
    },
  );

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'hi'],
    ['a list', [1]],
    ['wrong types', { id: 7, pingTimeout: 'x', isAuthenticated: 'yes', ext: 'all', maxPayload: 'big' }],
    ['absurd numbers', { id: 'x', pingTimeout: -1, maxPayload: -1, ext: [{}, null] }],
  ])('%s as the answer to the handshake opens a connection that works', async (_name, data) => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client();
    client.subscribe('a');
    const connection = await server.connection();
    const { cid } = await connection.first('#handshake');
    connection.send({ rid: cid, data });
    await until(() => client.isSubscribed('a'));
    expect([client.state, client.authState, client.pingTimeout]).toEqual(['open', 'unauthenticated', 20_000]);
  });

  test('a codec that throws on a frame is an error event', async () => {
    const server = await scriptedServer();
    const client = server.client({
      codecEngine: {
        encode: (value) => JSON.stringify(value),
        decode(message) {
          if (message === 'bad') throw new Error('broken');
          return JSON.parse(String(message)) as unknown;
        },
      },
    });
    await until(() => client.state === 'open');
    const told = nextValue(client.listener('error'));
    (await server.connection()).send('bad');
    expect((await told).error).toMatchObject({ name: 'InvalidMessageError', cause: { message: 'broken' } });
    expect(client.state).toBe('open');
  });

  test('random packets never end the process, the connection, or a channel', async () => {
    const server = await scriptedServer({ status: ALL });
    const client = server.client();
    const messages = collected(client.subscribe('fence'));
    await until(() => client.isSubscribed('fence'));
    const connection = await server.connection();
    const name = fc.constantFrom(
      '#publish',
      '#kickOut',
      '#setAuthToken',
      '#removeAuthToken',
      '#gap',
      '#retry',
      '__proto__',
      '',
    );
    const packet = fc.oneof(
      fc.json(),
      fc
        .record({ event: name, data: fc.jsonValue(), cid: fc.option(fc.integer(), { nil: undefined }) })
        .map((each) => JSON.stringify(each)),
      fc
        .record({ rid: fc.oneof(fc.integer(), fc.double()), error: fc.jsonValue(), data: fc.jsonValue() })
        .map((each) => JSON.stringify(each)),
    );
    for (const text of fc.sample(packet, 2000)) connection.send(text === '{}' ? '[]' : text);
    connection.send({ event: '#publish', data: { channel: 'fence', data: 'end' } });
    await until(() => messages.includes('end'));
    expect(client.state).toBe('open');
    expect(server.connections.length).toBe(1);
  });

  test('a gap is told on the channel and on the socket', async () => {
    const server = await scriptedServer({ status: ALL });
    const client = server.client();
    const channel = client.subscribe('a');
    await until(() => client.isSubscribed('a'));
    const told = [nextValue(channel.listener('gap')), nextValue(client.listener('gap'))];
    (await server.connection()).send({ event: '#gap', data: { channel: 'a', dropped: 3 } });
    expect(await Promise.all(told)).toEqual([{ dropped: 3 }, { channel: 'a', dropped: 3 }]);
  });
});
