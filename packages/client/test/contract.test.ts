import { defineContract, type Schema, type } from '@socketcluster-ts/core';
import { afterTest, collected, deferred, startServer, turn, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { create } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

const contract = defineContract({
  procedures: {
    add: { argument: z.tuple([z.number(), z.number()]), result: z.number() },
    ask: { argument: z.string(), result: z.string() },
  },
  events: { typing: z.object({ room: z.string().trim() }) },
  channels: { 'room/:id': z.object({ text: z.string() }), 'open/:id': type<number>() },
});

describe('what arrives is checked', () => {
  test('an event that does not fit is an error event, and the next one is delivered as its schema makes it', async () => {
    const server = await scriptedServer();
    const client = server.client({ contract });
    const errors = collected(client.listener('error'));
    const typing = collected(client.receiver('typing'));
    await client.listener('connect').once();
    const connection = await server.connection();
    connection.send([
      { event: 'typing', data: { room: 5 } },
      { event: 'unknown', data: 1 },
      { event: 'typing', data: { room: ' a ' } },
    ]);
    await until(() => typing.length > 0);
    expect(typing).toEqual([{ room: 'a' }]);
    expect(errors).toMatchObject([
      { error: { name: 'InvalidDataError', entry: 'events.typing', issues: [{ path: 'room' }] } },
      { error: { name: 'UnknownNameError', kind: 'event' } },
    ]);
  });

  test('a call that does not fit is answered with the error', async () => {
    const server = await scriptedServer();
    const client = server.client({ contract });
    void client.procedure('ask').each(({ data }) => `${String(data)}!`);
    await client.listener('connect').once();
    const connection = await server.connection();
    connection.send({ event: 'ask', data: 5, cid: 7 });
    connection.send({ event: 'ask', data: 'a', cid: 8 });
    await until(() => connection.packets.some(({ rid }) => rid === 8));
    expect(connection.packets.find(({ rid }) => rid === 7)?.error).toMatchObject({
      name: 'InvalidDataError',
    });
    expect(connection.packets.find(({ rid }) => rid === 8)).toEqual({ rid: 8, data: 'a!' });
  });

  test('a message that does not fit is not delivered, and other channels go on', async () => {
    const server = await scriptedServer();
    const client = server.client({ contract, channelPrefix: 'app:' });
    const errors = collected(client.listener('error'));
    const room = collected(client.subscribe('room/1'));
    const open = collected(client.subscribe('open/1'));
    const connection = await server.connection();
    await until(() => client.subscriptions().length === 2);
    connection.send({ event: '#publish', data: { channel: 'app:room/1', data: 'x' } });
    connection.send({ event: '#publish', data: { channel: 'app:open/1', data: 1 } });
    connection.send({ event: '#publish', data: { channel: 'app:room/1', data: { text: 'x', more: 1 } } });
    await until(() => room.length > 0);
    expect(room).toEqual([{ text: 'x' }]);
    expect(open).toEqual([1]);
    expect(errors).toMatchObject([{ error: { name: 'InvalidDataError', entry: 'channels.room/:id' } }]);
  });

  test('a result that does not fit rejects the call, which may have had its effect', async () => {
    const server = await scriptedServer();
    const client = server.client({ contract });
    const connection = await server.connection();
    const call = client.invoke('add', [1, 2]);
    const { cid } = await connection.first('add');
    connection.send({ rid: cid, data: 'three' });
    await expect(call).rejects.toMatchObject({
      name: 'InvalidDataError',
      entry: 'procedures.add.result',
      delivery: 'unknown',
    });
  });

  test('schemas that take their time keep the order, and one that never settles is given up', async () => {
    const gate = deferred();
    const slow: Schema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) => {
          if (value === 'stuck') await new Promise(() => {});
          await gate.promise;
          return { value: value as number };
        },
      },
    };
    const slowContract = defineContract({
      events: { slow, fast: type<number>() },
      channels: { c: type<number>() },
    });
    const server = await scriptedServer();
    const client = server.client({ contract: slowContract, ackTimeout: 100 });
    const order: unknown[] = [];
    const errors = collected(client.listener('error'));
    for (const name of ['slow', 'fast']) void client.receiver(name).each((data) => order.push(data));
    void client.subscribe('c').each((data) => order.push(data));
    const connection = await server.connection();
    await until(() => client.isSubscribed('c'));
    connection.send({ event: 'slow', data: 1 });
    connection.send({ event: 'fast', data: 2 });
    connection.send({ event: '#publish', data: { channel: 'c', data: 3 } });
    connection.send({ event: 'slow', data: 4 });
    connection.send({ event: 'fast', data: 5 });
    await turn();
    expect(order).toEqual([]);
    gate.resolve();
    await until(() => order.length === 5);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    connection.send({ event: 'slow', data: 'stuck' });
    connection.send({ event: 'fast', data: 6 });
    await until(() => order.length === 6);
    expect(errors).toMatchObject([{ error: { name: 'TimeoutError' } }]);
  });
});

describe('names that the contract does not have', () => {
  test('are refused at once, with a typed error', async () => {
    const server = await scriptedServer();
    const client = server.client({ contract });
    const errors = collected(client.listener('error'));
    const connection = await server.connection();
    await until(() => client.state === 'open');
    await expect(client.invoke('sub', 1)).rejects.toMatchObject({
      name: 'UnknownNameError',
      kind: 'procedure',
      delivery: 'not-sent',
      message: 'The contract has no procedure "sub"',
    });
    await expect(client.invokePublish('rooms/1', 1)).rejects.toMatchObject({
      name: 'UnknownNameError',
      kind: 'channel',
    });
    expect(() => client.subscribe('rooms/1')).toThrow('The contract has no channel "rooms/1"');
    await client.transmit('tiping', 1);
    await client.transmitPublish('rooms/1', 1);
    await turn();
    expect(errors).toMatchObject([
      { error: { name: 'UnknownNameError', kind: 'event' } },
      { error: { name: 'UnknownNameError', kind: 'channel' } },
    ]);
    expect(connection.packets.map(({ event }) => event)).toEqual(['#handshake']);
  });

  test('and data is not looked at on its way out, unless checkOutgoing is set', async () => {
    const server = await scriptedServer();
    const trusting = server.client({ contract });
    const connection = await server.connection();
    void trusting.transmit('typing', 5);
    expect(await connection.first('typing')).toMatchObject({ data: 5 });
    const strict = server.client({ contract, checkOutgoing: true });
    const errors = collected(strict.listener('error'));
    await expect(strict.invoke('add', [1])).rejects.toMatchObject({
      name: 'InvalidDataError',
      delivery: 'not-sent',
    });
    await expect(strict.invokePublish('room/1', 1)).rejects.toMatchObject({ name: 'InvalidDataError' });
    await strict.transmit('typing', 5);
    await turn();
    expect(errors).toMatchObject([{ error: { name: 'InvalidDataError', entry: 'events.typing' } }]);
  });
});

test('a wrong contract is refused with what is allowed', () => {
  expect(() => create({ contract: {} as never, autoConnect: false })).toThrow(
    'The contract option must be what defineContract() gives - Got an object',
  );
});

describe('one contract at both ends', () => {
  test('calls, events, channels and refusals', async () => {
    const { server, port } = await startServer({ contract });
    const typed = server.exchange;
    void server.listener('connection').each(({ socket }) => {
      void socket.procedure<[number, number]>('add').each(({ data: [a, b] }) => a + b);
    });
    const client = create({ hostname: '127.0.0.1', port, contract });
    afterTest(() => client.close());
    expect(await client.invoke('add', [1, 2])).toBe(3);
    await expect(client.invoke('add', [1, 'two'] as never)).rejects.toMatchObject({
      name: 'InvalidDataError',
      entry: 'procedures.add.argument',
      delivery: 'refused',
    });
    const room = client.channel('room/:id', { id: 'a/b' });
    room.subscribe();
    const message = room.once();
    await room.listener('subscribe').once();
    await typed.invokePublish('room/a%2Fb', { text: 'hi' });
    expect(await message).toEqual({ text: 'hi' });
    await expect(room.invokePublish({ txt: 'hi' } as never)).rejects.toMatchObject({
      name: 'InvalidDataError',
    });
  });

  test('a call that the client gives up aborts the signal of its request', async () => {
    const { server, port } = await startServer({ contract });
    const reason = deferred<unknown>();
    const started = deferred();
    void server.listener('connection').each(({ socket }) => {
      void socket.procedure('ask').each(async ({ signal }) => {
        started.resolve();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))).catch(
          reason.resolve,
        );
      });
    });
    const client = create({ hostname: '127.0.0.1', port, contract });
    afterTest(() => client.close());
    const abort = new AbortController();
    const call = client.invoke('ask', 'a', { signal: abort.signal });
    await started.promise;
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(await reason.promise).toMatchObject({
      name: 'AbortError',
      message: expect.stringContaining('gave up call'),
    });
  });
});

test('the signal of a call of the server is aborted when the connection ends', async () => {
  const server = await scriptedServer();
  const client = server.client({ autoReconnect: false });
  const request = client.procedure('work').once();
  await client.listener('connect').once();
  const connection = await server.connection();
  connection.send({ event: 'work', cid: 1 });
  const { signal } = await request;
  expect(signal.aborted).toBe(false);
  connection.socket.close(4321);
  await client.listener('close').once();
  expect(signal.reason).toMatchObject({ name: 'BadConnectionError', code: 4321 });
});
