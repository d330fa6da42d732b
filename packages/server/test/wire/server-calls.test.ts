import { deferred, nextValue, ours, startServer, take } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe('a transmit from the server', () => {
  test('is a packet with event and data, without data when there is none', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await socket.transmit('greet', { a: 1 });
    await socket.transmit('greet', null);
    await socket.transmit('greet');
    for (const text of [
      '{"event":"greet","data":{"a":1}}',
      '{"event":"greet","data":null}',
      '{"event":"greet"}',
    ]) {
      expect((await client.nextFrame((frame) => frame.text.includes('greet'))).text).toBe(text);
    }
  });

  test('on a socket that is not open warns with BadConnectionError and resolves', async () => {
    const { connect, server, warning } = await startServer();
    const shaking = nextValue(server.listener('handshake'));
    await connect();
    const { socket } = await shaking;
    await expect(socket.transmit('hi')).resolves.toBeUndefined();
    expect(await warning()).toMatchObject({
      name: 'BadConnectionError',
      type: 'connectAbort',
      message: 'Socket transmit hi event was aborted due to a bad connection',
    });
  });

  test('with cloneData sends the data as it was at the call', async () => {
    const { open } = await startServer({ cloneData: true });
    const { client, socket } = await open();
    const data = { n: 1 };
    void socket.transmit('greet', data);
    data.n = 2;
    expect(await client.next((packet) => packet.event === 'greet')).toMatchObject({ data: { n: 1 } });
  });
});

describe('a call from the server', () => {
  test('numbers its cids from 1 and is resolved by the data of the response', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const answers = Promise.all([
      socket.invoke('ask', 'a'),
      socket.invoke('ask'),
      socket.invoke('ask', { c: 1 }),
    ]);
    expect(await client.next((packet) => packet.cid === 1)).toEqual({ event: 'ask', data: 'a', cid: 1 });
    expect(await client.next((packet) => packet.cid === 2)).toEqual({ event: 'ask', cid: 2 });
    expect(await client.next((packet) => packet.cid === 3)).toEqual({ event: 'ask', data: { c: 1 }, cid: 3 });
    client.send({ rid: 3, data: 'third' });
    client.send({ rid: 1, data: null });
    client.send({ rid: 2 });
    expect(await answers).toEqual([null, undefined, 'third']);
  });

  test('is rejected by the rehydrated error of the response', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    client.send({ rid: 1, error: { name: 'NopeError', message: 'nope', detail: 5, stack: 'forged' } });
    const error = await asked.then(
      () => undefined,
      (reason: unknown) => reason as Error & { detail?: number },
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'NopeError', message: 'nope', detail: 5 });
    expect(error?.stack).not.toBe('forged');
  });

  test('is rejected by a string error as it is', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    client.send({ rid: 1, error: 'just text' });
    await expect(asked).rejects.toBe('just text');
  });

  test('is resolved with undefined by an error that is null', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    client.send({ rid: 1, error: null });
    await expect(asked).resolves.toBeUndefined();
  });

  test('ignores responses nobody asked for, and a second response', async () => {
    const { open, warnings } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    client.send({ rid: 77, data: 'x' });
    client.send({ rid: -1, error: { message: 'x' } });
    client.send({ rid: 1, data: 'answer' });
    client.send({ rid: 1, data: 'again' });
    expect(await asked).toBe('answer');
    await client.fence();
    expect(warnings).toEqual([]);
  });

  test('is not resolved by a string rid, which is no response', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const raw = nextValue(socket.listener('raw'));
    const asked = socket.invoke('ask');
    client.send('{"rid":"1","data":"forged"}');
    expect(await raw).toEqual({ message: '{"rid":"1","data":"forged"}' });
    client.send({ rid: 1, data: 'real' });
    expect(await asked).toBe('real');
  });

  test('is rejected with TimeoutError after `ackTimeout`, and a later response is ignored', async () => {
    const { open, server } = await startServer({ ackTimeout: 30 });
    const { client, socket } = await open();
    await expect(socket.invoke('ask')).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'Event response for ask event timed out',
    });
    client.send({ rid: 1, data: 'late' });
    await client.fence();
    server.ackTimeout = 5000;
    const asked = socket.invoke('ask');
    client.send({ rid: 2, data: 'in time' });
    expect(await asked).toBe('in time');
  });

  test('takes its own `ackTimeout`', async () => {
    const { open } = await startServer();
    const { socket } = await open();
    await expect(socket.invoke('ask', null, { ackTimeout: 20 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  test('on a socket that is not open is rejected with BadConnectionError', async () => {
    const { connect, server, warning } = await startServer();
    const shaking = nextValue(server.listener('handshake'));
    await connect();
    const { socket } = await shaking;
    const expected = {
      name: 'BadConnectionError',
      type: 'connectAbort',
      code: 1001,
      message: 'Socket invoke bla event was aborted due to a bad connection',
    };
    await expect(socket.invoke('bla')).rejects.toMatchObject(expected);
    expect(await warning()).toMatchObject(expected);
  });

  test('is rejected when the connection closes before the response', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const asked = socket.invoke('ask');
    const refused = expect(asked).rejects.toMatchObject({
      name: 'BadConnectionError',
      type: 'disconnect',
      code: 4321,
      reason: 'bye',
      message: 'Event ask was aborted due to a bad connection',
    });
    await client.next((packet) => packet.cid === 1);
    client.close(4321, 'bye');
    await refused;
  });

  ours('that still waits in the queue when the connection closes is rejected', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream) void action;
    });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 'held by the middleware');
    const asked = socket.invoke('ask');
    const refused = expect(asked).rejects.toMatchObject({ name: 'BadConnectionError' });
    client.terminate();
    await refused;
  });

  ours('whose data cannot be encoded is rejected', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const refused = await socket
      .invoke('ask', circular, { ackTimeout: 1000 })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    expect(refused).not.toMatchObject({ name: 'TimeoutError' });
    await client.fence();
  });
});

describe('many calls both ways at once', () => {
  test('each get their own response', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const requests = take(socket.procedure('double'), 50);
    const replies = Promise.all(Array.from({ length: 50 }, (_, n) => client.call('double', n)));
    const asked = Promise.all(Array.from({ length: 50 }, (_, n) => socket.invoke('triple', n)));
    const answered = deferred();
    void (async () => {
      for (let count = 0; count < 50; count += 1) {
        const { cid, data } = await client.next((packet) => packet.event === 'triple');
        client.send({ rid: cid, data: (data as number) * 3 });
      }
      answered.resolve();
    })();
    for (const request of (await requests).toReversed()) request.end((request.data as number) * 2);
    await answered.promise;
    expect((await replies).map((reply) => reply.data)).toEqual(Array.from({ length: 50 }, (_, n) => n * 2));
    expect(await asked).toEqual(Array.from({ length: 50 }, (_, n) => n * 3));
  });
});
