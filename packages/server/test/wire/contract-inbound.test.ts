import { defineContract, type Schema, type } from '@socketcluster-ts/server';
import { collected, startServer, turn } from '@socketcluster-ts/testkit';
import { type as ark } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const contract = defineContract({
  procedures: {
    add: { argument: z.tuple([z.number(), z.number()]), result: z.number() },
    trim: { argument: z.string().trim() },
    ping: {},
  },
  events: { typing: z.object({ room: z.string() }) },
  channels: {
    'room/:id': z.object({ text: z.string().max(10) }),
    'secret/:id': { message: type<string>(), subscribe: z.object({ key: z.literal('open') }) },
  },
});

describe('what a client sends is checked before anything sees it', () => {
  test('the argument of a call: wrong data is answered and never reaches middleware or procedure', async () => {
    const { server, open, log } = await startServer({ contract });
    const actions: unknown[] = [];
    server.setMiddleware('inbound', async (stream) => {
      for await (const action of stream) {
        if (action.type === action.INVOKE) actions.push(action.data);
        action.allow();
      }
    });
    const { client, socket } = await open();
    const requests = collected(socket.procedure('add'));
    const reply = await client.call('add', [1, 'two']);
    expect(reply.error).toMatchObject({
      name: 'InvalidDataError',
      entry: 'procedures.add.argument',
      issues: [{ path: '1', message: expect.any(String) }],
      message: expect.stringContaining('Invalid data for procedures.add.argument at 1'),
    });
    expect(await log.first('warning')).toMatchObject({ warning: { name: 'InvalidDataError' } });
    client.send({ event: 'add', data: [1, 2], cid: 90 });
    await client.fence().catch(() => {});
    expect(actions[0]).toEqual([1, 2]);
    expect(requests.map(({ data }) => data)).toEqual([[1, 2]]);
  });

  test('what a schema makes of the data is what middleware and handlers get', async () => {
    const { server, open } = await startServer({ contract });
    const actions: unknown[] = [];
    server.setMiddleware('inbound', async (stream) => {
      for await (const action of stream) {
        if (action.type === action.INVOKE) actions.push(action.data);
        action.allow();
      }
    });
    const { client, socket } = await open();
    void socket.procedure('trim').each(({ data, end }) => end(data));
    expect(await client.call('trim', '  a  ')).toMatchObject({ data: 'a' });
    expect(actions).toEqual(['a']);
  });

  test('a call without an argument takes none', async () => {
    const { open } = await startServer({ contract });
    const { client, socket } = await open();
    void socket.procedure('ping').each((request) => request.end(request.data === undefined));
    expect(await client.call('ping')).toMatchObject({ data: true });
    expect(await client.call('ping', null)).toMatchObject({ data: true });
    expect((await client.call('ping', 1)).error).toMatchObject({ name: 'InvalidDataError' });
  });

  test('events: wrong data and unknown names are an error event and a server warning, and the next one arrives', async () => {
    const { open, log } = await startServer({ contract });
    const { client, socket } = await open();
    const errors = collected(socket.listener('error'));
    const typing = collected(socket.receiver('typing'));
    const unknown = collected(socket.receiver('tiping'));
    client.transmit('typing', { room: 5 });
    client.transmit('tiping', { room: 'a' });
    client.transmit('typing', { room: 'b', more: true });
    await log.times('warning', 2);
    await client.call('ping', 1);
    expect(typing).toEqual([{ room: 'b' }]);
    expect(unknown).toEqual([]);
    expect(errors.slice(0, 2)).toMatchObject([
      { error: { name: 'InvalidDataError', entry: 'events.typing' } },
      { error: { name: 'UnknownNameError', kind: 'event', message: 'The contract has no event "tiping"' } },
    ]);
  });

  test('publishes: wrong messages and unknown channels are refused, others reach the subscribers', async () => {
    const { open, server } = await startServer({ contract });
    const { client } = await open();
    const { client: other } = await open();
    const published = collected(server.brokerEngine.listener('publish'));
    expect(await other.call('#subscribe', { channel: 'room/1' })).not.toHaveProperty('error');
    expect(
      (await client.call('#publish', { channel: 'room/1', data: { text: 'far too long' } })).error,
    ).toMatchObject({
      name: 'InvalidDataError',
      entry: 'channels.room/:id',
    });
    expect((await client.call('#publish', { channel: 'rooms/1', data: { text: 'a' } })).error).toMatchObject({
      name: 'UnknownNameError',
      kind: 'channel',
    });
    client.transmit('#publish', { channel: 'room/1', data: 5 });
    expect(
      await client.call('#publish', { channel: 'room/1', data: { text: 'a', evil: 1 } }),
    ).not.toHaveProperty('error');
    expect(await other.next((packet) => packet.event === '#publish')).toMatchObject({
      data: { channel: 'room/1', data: { text: 'a' } },
    });
    expect(published).toEqual([{ channel: 'room/1', data: { text: 'a' } }]);
  });

  test('subscriptions: unknown channels and wrong data are refused, and nothing is subscribed', async () => {
    const { open } = await startServer({ contract });
    const { client, socket } = await open();
    const subscribed = collected(socket.listener('subscribe'));
    for (const channel of ['rooms/1', 'room/', 'room/1/2', 'room/:id', '__proto__']) {
      expect((await client.call('#subscribe', { channel })).error).toMatchObject({
        name: 'UnknownNameError',
      });
    }
    expect(
      (await client.call('#subscribe', { channel: 'secret/1', data: { key: 'x' } })).error,
    ).toMatchObject({
      name: 'InvalidDataError',
      entry: 'channels.secret/:id.subscribe',
    });
    expect(socket.subscriptions()).toEqual([]);
    expect(
      await client.call('#subscribe', { channel: 'secret/1', data: { key: 'open', more: 1 } }),
    ).not.toHaveProperty('error');
    await turn();
    expect(subscribed).toEqual([{ channel: 'secret/1', subscriptionOptions: { data: { key: 'open' } } }]);
  });

  test('a call of a procedure that the contract does not have is answered, even if somebody serves it', async () => {
    const { open } = await startServer({ contract });
    const { client, socket } = await open();
    void socket.procedure('sub').each(() => 1);
    expect((await client.call('sub', 1)).error).toMatchObject({
      name: 'UnknownNameError',
      kind: 'procedure',
      message: 'The contract has no procedure "sub"',
    });
    expect((await client.call('x'.repeat(100_000))).error?.message?.length).toBeLessThan(120);
  });

  test('in a batch each packet is checked by itself', async () => {
    const { open } = await startServer({ contract });
    const { client, socket } = await open();
    const typing = collected(socket.receiver('typing'));
    client.send([
      { event: 'typing', data: { room: 'a' } },
      { event: 'typing', data: {} },
      { event: 'typing', data: { room: 'c' } },
      { event: 'ping', data: 1, cid: 7 },
    ]);
    await client.next((packet) => packet.rid === 7);
    expect(typing).toEqual([{ room: 'a' }, { room: 'c' }]);
  });
});

describe('claims of tokens', () => {
  const withToken = defineContract({ token: z.object({ user: z.string().toLowerCase() }) });

  test('that fit are what the application sees', async () => {
    const { open, sign } = await startServer({ contract: withToken });
    const { socket } = await open({ authToken: await sign({ user: 'ANN', other: 1, exp: 9_999_999_999 }) });
    expect(socket.authToken).toEqual({ user: 'ann', exp: 9_999_999_999, iat: expect.any(Number) });
  });

  test('that do not fit leave the socket unauthenticated before any middleware sees them, and the client drops the token', async () => {
    const { server, connect, sign } = await startServer({ contract: withToken });
    const seen: string[] = [];
    server.setMiddleware('inbound', async (stream) => {
      for await (const action of stream) {
        seen.push(action.type);
        action.allow();
      }
    });
    const client = await connect();
    const reply = await client.handshake(await sign({ name: 'ann' }));
    expect(reply.data).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'InvalidDataError', entry: 'token', isBadToken: true },
    });
    expect(await client.next((packet) => packet.event === '#removeAuthToken')).toBeDefined();
    const again = await client.call('#authenticate', await sign({ user: 5 }));
    expect(again.error).toMatchObject({
      name: 'InvalidDataError',
      entry: 'token',
      issues: [{ path: 'user' }],
    });
    expect(seen).toEqual([]);
  });

  test('that could not be checked are no reason to drop the token', async () => {
    const broken: Schema<object> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw new Error('secret');
        },
      },
    };
    const { connect, sign, log } = await startServer({ contract: defineContract({ token: broken }) });
    const client = await connect();
    const reply = await client.handshake(await sign({ user: 'ann' }));
    expect(reply.data).toMatchObject({ isAuthenticated: false, authError: { name: 'InvalidDataError' } });
    expect(JSON.stringify(reply)).not.toMatch(/isBadToken|secret/);
    expect(await log.first('warning')).toMatchObject({ warning: { cause: new Error('secret') } });
  });
});

describe('validators of several libraries', () => {
  test.each([
    ['zod', z.object({ n: z.number().int() })],
    ['valibot', v.object({ n: v.pipe(v.number(), v.integer()) })],
    ['arktype', ark({ n: 'number.integer' })],
  ])('%s', async (_, argument: Schema) => {
    const { open } = await startServer({ contract: defineContract({ procedures: { a: { argument } } }) });
    const { client, socket } = await open();
    void socket.procedure('a').each(({ data, end }) => end(data));
    expect(await client.call('a', { n: 1 })).toMatchObject({ data: { n: 1 } });
    expect((await client.call('a', { n: 1.5 })).error).toMatchObject({
      name: 'InvalidDataError',
      issues: [{ path: 'n' }],
    });
    expect((await client.call('a')).error).toMatchObject({ name: 'InvalidDataError' });
  });
});

test('names of the protocol are no matter of the contract', async () => {
  const { open } = await startServer({ contract: defineContract({}) });
  const { client, socket } = await open();
  client.transmit('#removeAuthToken');
  expect((await client.call('#unsubscribe', 'nothing')).error).toMatchObject({ name: 'BrokerError' });
  expect((await client.call('#unknown', 1)).error).toMatchObject({ name: 'UnknownNameError' });
  expect(socket.state).toBe('open');
});

test('the option takes what defineContract() gives', async () => {
  await expect(startServer({ contract: { types: {} } as never })).rejects.toThrow(
    'The contract option must be what defineContract() gives - Got an object',
  );
  await expect(startServer({ checkOutgoing: 1 as never })).rejects.toThrow(
    'The checkOutgoing option must be true or false - Got 1',
  );
});
