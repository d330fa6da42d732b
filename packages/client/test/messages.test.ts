import { collected, nextValue, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { scriptedServer } from './scripted-server.js';

describe('calls', () => {
  test('resolve with the answer, and reject with the error of the server, which was refused', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const answers = [client.invoke('a', 1), client.invoke('b')];
    const connection = await server.connection();
    const [a, b] = [await connection.first('a'), await connection.first('b')];
    connection.send([
      { rid: b.cid, error: { name: 'NopeError', message: 'no', detail: 7, delivery: 'not-sent' } },
      { rid: a.cid, data: 'yes' },
    ]);
    expect(await answers[0]).toBe('yes');
    await expect(answers[1]).rejects.toMatchObject({ name: 'NopeError', detail: 7, delivery: 'refused' });
  });

  test('time out by ackTimeout, by their own, and tell that the outcome is unknown', async () => {
    const server = await scriptedServer();
    const client = server.client({ ackTimeout: 20 });
    await until(() => client.state === 'open');
    const calls = [
      client.invoke('a'),
      client.invoke('b', 1, { timeout: 10 }),
      client.invoke('c', 1, { ackTimeout: 10 }),
    ];
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    expect(errors).toMatchObject(
      ['a', 'b', 'c'].map((event) => ({
        name: 'TimeoutError',
        message: `Event response for ${event} event timed out`,
        delivery: 'unknown',
      })),
    );
  });

  test('that wait for a connection time out too, and tell that they were not sent', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client();
    await expect(client.invoke('a', 1, { timeout: 20 })).rejects.toMatchObject({ delivery: 'not-sent' });
    const connection = await server.connection();
    const { cid } = await connection.first('#handshake');
    connection.send({ rid: cid, data: { id: 'x', pingTimeout: 1000 } });
    await until(() => client.state === 'open');
    void client.transmit('fence');
    await connection.first('fence');
    expect(connection.of('a')).toEqual([]);
  });

  test('are rejected when the attempt to connect fails', async () => {
    const server = await scriptedServer();
    const client = server.client({ port: 9, autoReconnect: false });
    await expect(client.invoke('a')).rejects.toMatchObject({
      name: 'BadConnectionError',
      type: 'connectAbort',
      code: 1006,
      delivery: 'not-sent',
    });
  });

  test('with data that cannot be encoded are rejected, and the next one is sent', async () => {
    const server = await scriptedServer();
    const client = server.client();
    await expect(client.invoke('a', 1n)).rejects.toMatchObject({ name: 'TypeError', delivery: 'not-sent' });
    void client.transmit('b');
    expect(await (await server.connection()).first('b')).toEqual({ event: 'b' });
  });

  test('of the server are answered by a procedure, with results and errors', async () => {
    const server = await scriptedServer();
    const client = server.client();
    void (async () => {
      for await (const request of client.procedure<number>('half')) {
        if (request.data % 2 === 0) request.end(request.data / 2);
        else request.error(new RangeError('odd'));
      }
    })();
    const connection = await server.connection();
    await connection.first('#handshake');
    connection.send([
      { event: 'half', data: 4, cid: 8 },
      { event: 'half', data: 5, cid: 9 },
    ]);
    await until(() => connection.packets.length === 3);
    expect(connection.packets.slice(1)).toEqual([
      { rid: 8, data: 2 },
      { rid: 9, error: { message: 'odd', name: 'RangeError' } },
    ]);
  });
});

describe('messages', () => {
  test('that wait survive an attempt that fails', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ autoReconnectOptions: { initialDelay: 1, randomness: 0 } });
    void client.transmit('kept', 1);
    const first = await server.connection();
    await first.first('#handshake');
    first.socket.terminate();
    const second = await server.connection(1);
    const { cid } = await second.first('#handshake');
    second.send({ rid: cid, data: { id: 'x', pingTimeout: 1000 } });
    expect(await second.first('kept')).toEqual({ event: 'kept', data: 1 });
  });

  test('that wait survive connect() with new options, and reconnect()', async () => {
    const [one, two] = [await scriptedServer({ answersHandshake: false }), await scriptedServer()];
    const client = one.client();
    void client.transmit('kept', 1);
    client.reconnect();
    await one.connection();
    client.connect({ port: two.port });
    expect(await (await two.connection()).first('kept')).toEqual({ event: 'kept', data: 1 });
  });

  test('that wait for the next attempt are told when disconnect() calls that off', async () => {
    const server = await scriptedServer();
    const client = server.client({ port: 9, autoReconnectOptions: { initialDelay: 60_000 } });
    await until(() => client.pendingReconnect);
    void client.transmit('a');
    await until(() => client.pendingReconnect);
    const told = nextValue(client.listener('error'));
    client.disconnect();
    expect((await told).error).toMatchObject({ name: 'BadConnectionError', delivery: 'not-sent' });
  });

  test('that cannot be sent any more are told, each by an error', async () => {
    const server = await scriptedServer();
    const client = server.client({ port: 9, autoReconnect: false });
    const errors = collected(client.listener('error'));
    void client.transmit('a');
    void client.transmit('b');
    await until(() => errors.length === 3);
    expect(errors.map(({ error }) => error)).toMatchObject([
      {
        name: 'BadConnectionError',
        message: 'Event a was aborted due to a bad connection',
        delivery: 'not-sent',
      },
      { name: 'BadConnectionError', message: 'Event b was aborted due to a bad connection' },
      { name: 'SocketProtocolError' },
    ]);
  });

  test('that wait longer than their ackTimeout are told', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client();
    void client.transmit('late', 1, { ackTimeout: 10 });
    const { error } = await nextValue(client.listener('error'));
    expect(error).toMatchObject({ name: 'TimeoutError', delivery: 'not-sent' });
  });

  test('beyond maxQueuedMessages are refused', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ maxQueuedMessages: 1 });
    const told = nextValue(client.listener('error'));
    void client.transmit('a');
    void client.transmit('b');
    await expect(client.invoke('c')).rejects.toMatchObject({
      name: 'ResourceLimitError',
      delivery: 'not-sent',
    });
    expect((await told).error).toMatchObject({ name: 'ResourceLimitError', delivery: 'not-sent' });
  });

  test('with cloneData are as they were when they were given', async () => {
    const server = await scriptedServer();
    const client = server.client({ cloneData: true });
    const data = { list: [1] };
    void client.transmit('a', data);
    data.list.push(2);
    expect((await (await server.connection()).first('a')).data).toEqual({ list: [1] });
  });

  test('of the server reach receivers; what is no packet is raw, and every frame is a message', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const [raw, messages] = [nextValue(client.listener('raw')), collected(client.listener('message'))];
    const received = nextValue(client.receiver('hi'));
    const connection = await server.connection();
    await connection.first('#handshake');
    connection.send({ event: 'hi', data: [1] });
    connection.send('just text');
    expect(await received).toEqual([1]);
    expect(await raw).toEqual({ message: 'just text' });
    expect(messages.map(({ message }) => message).slice(1)).toEqual([
      '{"event":"hi","data":[1]}',
      'just text',
    ]);
  });
});

describe('batches', () => {
  test('a batch by hand leaves as one frame, before the first connection too', async () => {
    const server = await scriptedServer();
    const client = server.client();
    expect(client.isBufferingBatch).toBe(false);
    await until(() => client.state === 'open');
    client.startBatch();
    void client.transmit('a');
    void client.transmit('b');
    client.flushBatch();
    const connection = await server.connection();
    await connection.first('b');
    expect(connection.frames.at(-1)).toBe('[{"event":"a"},{"event":"b"}]');
  });

  test('one packet that cannot be encoded does not take the others with it', async () => {
    const server = await scriptedServer();
    const client = server.client();
    await until(() => client.state === 'open');
    client.startBatch();
    void client.transmit('a');
    const bad = client.invoke('bad', 1n);
    client.flushBatch();
    await expect(bad).rejects.toMatchObject({ delivery: 'not-sent' });
    await (await server.connection()).first('a');
  });

  test('cancelling a batch rejects the calls in it', async () => {
    const server = await scriptedServer();
    const client = server.client();
    await until(() => client.state === 'open');
    client.startBatching();
    const call = client.invoke('a');
    client.cancelBatching();
    await expect(call).rejects.toMatchObject({ name: 'AbortError', delivery: 'not-sent' });
    expect(client.isBatching).toBe(false);
  });
});
