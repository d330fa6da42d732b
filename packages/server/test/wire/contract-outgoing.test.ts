import { AGServer, defineContract, type Schema } from '@socketcluster-ts/server';
import { collected, startServer, turn } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const contract = defineContract({
  procedures: { add: { argument: z.tuple([z.number(), z.number()]), result: z.number() } },
  events: { typing: z.object({ room: z.string().trim() }) },
  channels: { 'room/:id': z.string() },
  token: z.object({ user: z.string() }),
});

describe('with checkOutgoing', () => {
  test('a wrong result is an error event, and the caller is told no more than that', async () => {
    const { open, warning } = await startServer({ contract, checkOutgoing: true });
    const { client, socket } = await open();
    void socket.procedure<[number, number]>('add').each(({ data: [a, b] }) => (a === 1 ? `${a}${b}` : a + b));
    expect((await client.call('add', [1, 2])).error).toEqual({
      name: 'InvalidDataError',
      message: 'The result of the procedure add is not what the contract says',
      entry: 'procedures.add.result',
      issues: [],
    });
    expect(await warning()).toMatchObject({ entry: 'procedures.add.result', issues: [{ path: '' }] });
    expect(await client.call('add', [2, 2])).toMatchObject({ data: 4 });
  });

  test('an answer that was given already is told as before', async () => {
    const { open, log } = await startServer({ contract, checkOutgoing: true });
    const { client, socket } = await open();
    void socket.procedure('add').each((request) => {
      request.end(3);
      request.end(4);
    });
    expect(await client.call('add', [1, 2])).toMatchObject({ data: 3 });
    expect(await log.first('error')).toMatchObject({ error: { name: 'InvalidActionError' } });
  });

  test('a wrong transmit is an error event and is not sent; a right one is sent as it was given', async () => {
    const { open } = await startServer({ contract, checkOutgoing: true });
    const { client, socket } = await open();
    const errors = collected(socket.listener('error'));
    await socket.transmit('typing', { room: 5 });
    await socket.transmit('tiping', { room: 'a' });
    await socket.transmit('typing', { room: ' a ' });
    expect(await client.next()).toEqual({ event: 'typing', data: { room: ' a ' } });
    await turn();
    expect(errors).toMatchObject([
      { error: { name: 'InvalidDataError', entry: 'events.typing' } },
      { error: { name: 'UnknownNameError' } },
    ]);
  });

  test('a wrong call is rejected and is not sent', async () => {
    const { open } = await startServer({ contract, checkOutgoing: true });
    const { client, socket } = await open();
    await expect(socket.invoke('add', [1])).rejects.toMatchObject({ name: 'InvalidDataError' });
    await expect(socket.invoke('sub', [1])).rejects.toMatchObject({ name: 'UnknownNameError' });
    const answer = socket.invoke('add', [1, 2]);
    const call = await client.next((packet) => packet.cid === 1);
    expect(call).toEqual({ event: 'add', data: [1, 2], cid: 1 });
    client.send({ rid: 1, data: 3 });
    expect(await answer).toBe(3);
  });

  test('a wrong publish of the exchange is rejected, or a server error, and reaches nobody', async () => {
    const { open, server, log } = await startServer({ contract, checkOutgoing: true });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'room/1' });
    await expect(server.exchange.invokePublish('room/1', 5)).rejects.toMatchObject({
      name: 'InvalidDataError',
    });
    await expect(server.exchange.invokePublish('rooms/1', 'a')).rejects.toMatchObject({
      name: 'UnknownNameError',
    });
    await server.exchange.transmitPublish('room/1', 5);
    await server.exchange.invokePublish('room/1', 'right');
    expect((await client.next((packet) => packet.event === '#publish')).data).toEqual({
      channel: 'room/1',
      data: 'right',
    });
    expect(await log.first('error')).toMatchObject({
      error: { name: 'InvalidDataError', entry: 'channels.room/:id' },
    });
  });

  test('wrong claims are rejected, and the socket keeps the token it has', async () => {
    const { open } = await startServer({ contract, checkOutgoing: true });
    const { socket } = await open();
    await socket.setAuthToken({ user: 'ann' });
    await expect(socket.setAuthToken({ name: 'bob' })).rejects.toMatchObject({
      name: 'InvalidDataError',
      entry: 'token',
    });
    expect(socket.authToken).toMatchObject({ user: 'ann' });
    expect(socket.state).toBe('open');
  });

  test('a schema that gives a promise is too late to hold a message back, and is reported', async () => {
    const late: Schema = {
      '~standard': { version: 1, vendor: 'test', validate: async () => ({ issues: [{ message: 'late' }] }) },
    };
    const slow = defineContract({
      events: { a: late },
      channels: { b: late },
      procedures: { c: { result: late } },
    });
    const { open, server, log } = await startServer({ contract: slow, checkOutgoing: true });
    const { client, socket } = await open();
    void socket.procedure('c').each(() => 1);
    await socket.transmit('a', 1);
    expect(await client.next()).toEqual({ event: 'a', data: 1 });
    await server.exchange.invokePublish('b', 2);
    expect(await client.call('c')).toMatchObject({ data: 1 });
    expect(await log.first('error')).toMatchObject({ error: { entry: 'channels.b' } });
    expect(await log.times('warning', 2)).toMatchObject([
      { warning: { entry: 'events.a' } },
      { warning: { entry: 'procedures.c.result' } },
    ]);
  });
});

test('without it what is sent is not looked at', async () => {
  const { open, server } = await startServer({ contract });
  const { client, socket } = await open();
  void socket.procedure('add').each(() => 'three');
  expect(await client.call('add', [1, 2])).toMatchObject({ data: 'three' });
  await socket.transmit('anything', 1);
  await server.exchange.invokePublish('anywhere', 1);
  expect(await client.next()).toEqual({ event: 'anything', data: 1 });
});

describe('channels by template', () => {
  test('are built by the contract of the server', async () => {
    const { server } = await startServer();
    const typed = new AGServer({ httpServer: server.httpServer as never, contract, path: '/other/' });
    const room = typed.exchange.channel('room/:id', { id: 'a/b' });
    expect(room.name).toBe('room/a%2Fb');
    room.subscribe();
    const message = room.once();
    await room.invokePublish('hi');
    expect(await message).toBe('hi');
    await typed.close();
  });

  test('are refused without one, and when the parameters are missing', async () => {
    const { server } = await startServer();
    const exchange = server.exchange as unknown as AGServer<typeof contract>['exchange'];
    expect(() => exchange.channel('room/:id', { id: 1 })).toThrow(
      'The channel "room/:id" was asked for with parameters, which needs the contract as an option',
    );
    const { server: other } = await startServer({ contract });
    expect(() => other.exchange.channel('room/:id')).toThrow('needs a text or a number as parameter "id"');
  });
});
