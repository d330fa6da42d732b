import { AGServerSocket, defineContract, type } from '@socketcluster-ts/server';
import { collected, deferred, nextValue, startServer, turn, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe('a procedure that is served by a function', () => {
  test('answers with what it returns, also when it waits, and with nothing', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void socket.procedure<[number, number]>('add').each(({ data: [a, b] }) => a + b);
    void socket.procedure<string>('greet').each(async ({ data }) => {
      await turn();
      return `Hello ${data}`;
    });
    void socket.procedure('nothing').each(() => {});
    expect(await client.call('add', [1, 2])).toMatchObject({ data: 3 });
    expect(await client.call('greet', 'Ann')).toMatchObject({ data: 'Hello Ann' });
    expect(await client.call('nothing')).not.toHaveProperty('error');
  });

  test('may answer itself, and nothing is sent twice', async () => {
    const { open, warnings } = await startServer();
    const { client, socket } = await open();
    void socket.procedure('own').each((request) => {
      request.end('own');
      return 'returned';
    });
    void socket.procedure('refused').each((request) => request.error(new Error('no')));
    expect(await client.call('own')).toMatchObject({ data: 'own' });
    expect((await client.call('refused')).error).toMatchObject({ message: 'no' });
    await client.fence();
    expect(client.received.filter((packet) => packet.rid !== undefined)).toHaveLength(5);
    expect(warnings).toEqual([]);
  });

  test('that throws: the error is the answer and an error event of socket and server, and the next call is served', async () => {
    const { open, server, errors } = await startServer();
    const { client, socket } = await open();
    const socketErrors = collected(socket.listener('error'));
    const failure = nextValue(server.listener('error'));
    void socket.procedure<number>('half').each(({ data }) => {
      if (data % 2 === 1) throw new RangeError(`${data} is odd`);
      return data / 2;
    });
    expect((await client.call('half', 3)).error).toMatchObject({ name: 'RangeError', message: '3 is odd' });
    expect(await failure).toEqual({ error: new RangeError('3 is odd') });
    expect(await client.call('half', 4)).toMatchObject({ data: 2 });
    expect(socketErrors).toEqual([{ error: new RangeError('3 is odd') }]);
    expect(errors).toHaveLength(1);
  });

  test.each([[undefined], [null]])(
    'that throws %s: the caller hears of an error all the same',
    async (thrown) => {
      const { open, log } = await startServer();
      const { client, socket } = await open();
      void socket.procedure('fail').each(() => Promise.reject(thrown));
      expect((await client.call('fail')).error).toMatchObject({
        name: 'UnknownError',
        message: 'The procedure fail failed',
      });
      expect(await log.first('error')).toEqual({ error: thrown });
    },
  );

  test('that throws after it answered: the error is reported only', async () => {
    const { open, log } = await startServer();
    const { client, socket } = await open();
    void socket.procedure('late').each((request) => {
      request.end('done');
      throw new Error('late');
    });
    expect(await client.call('late')).toMatchObject({ data: 'done' });
    expect(await log.first('error')).toEqual({ error: new Error('late') });
  });

  test('with onError: the caller is answered, and the error goes there instead', async () => {
    const { open, errors } = await startServer();
    const { client, socket } = await open();
    const taken: unknown[] = [];
    void socket.procedure('fail').each(
      () => {
        throw new Error('no');
      },
      { onError: (error, { procedure }) => taken.push([procedure, error]) },
    );
    expect((await client.call('fail')).error).toMatchObject({ message: 'no' });
    expect(taken).toEqual([['fail', new Error('no')]]);
    expect(errors).toEqual([]);
  });

  test('takes one call at a time by default: the others wait where they can be counted', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const gate = deferred();
    let running = 0;
    void socket.procedure('slow').each(async () => {
      running += 1;
      await gate.promise;
      return running;
    });
    for (let call = 0; call < 3; call += 1) client.send({ event: 'slow', cid: 100 + call });
    await until(() => socket.getProcedureBackpressure('slow') === 2);
    expect(running).toBe(1);
    expect(socket.getBackpressure()).toBe(2);
    gate.resolve();
    expect(await client.next((packet) => packet.rid === 102)).toMatchObject({ data: 3 });
  });

  test('with concurrency and key: several at once, those of one key in order', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const gates = new Map(['a1', 'a2', 'b1'].map((name) => [name, deferred()]));
    const started: string[] = [];
    void socket.procedure<string>('work').each(
      async ({ data }) => {
        started.push(data);
        await gates.get(data)?.promise;
        return data;
      },
      { concurrency: 4, key: ({ data }) => data[0] },
    );
    ['a1', 'a2', 'b1'].forEach((data, index) => client.send({ event: 'work', data, cid: 100 + index }));
    await until(() => started.length === 2);
    expect(started).toEqual(['a1', 'b1']);
    gates.get('b1')?.resolve();
    expect(await client.next((packet) => typeof packet.rid === 'number' && packet.rid >= 100)).toMatchObject({
      data: 'b1',
    });
    gates.get('a2')?.resolve();
    gates.get('a1')?.resolve();
    expect(await client.next((packet) => typeof packet.rid === 'number' && packet.rid >= 100)).toMatchObject({
      data: 'a1',
    });
    expect(await client.next((packet) => typeof packet.rid === 'number' && packet.rid >= 100)).toMatchObject({
      data: 'a2',
    });
  });

  test('ends with its socket: the promise resolves when what is in work is done', async () => {
    const { open, errors } = await startServer();
    const { client, socket } = await open();
    const gate = deferred();
    let isDone = false;
    const done = socket.procedure('slow').each(() => gate.promise);
    void done.then(() => (isDone = true));
    client.send({ event: 'slow', cid: 100 });
    client.send({ event: 'slow', cid: 101 });
    await until(() => socket.getProcedureBackpressure('slow') === 1);
    client.close(1000);
    await socket.listener('end').once();
    await turn();
    expect(isDone).toBe(false);
    gate.resolve();
    await done;
    expect(errors).toEqual([]);
  });
});

describe('receivers, listeners and channels that are served by a function', () => {
  test('emit what it throws, and go on', async () => {
    const { open, server, log } = await startServer();
    const { client, socket } = await open();
    const seen: unknown[] = [];
    void socket.receiver<number>('count').each((data) => {
      if (data === 1) throw new Error('one');
      seen.push(data);
    });
    const room = server.exchange.subscribe<number>('room');
    void room.each(async (message) => {
      if (message === 1) throw new Error('room one');
      seen.push(message);
    });
    void server.listener('subscription').each(({ channel }) => {
      throw new Error(`subscribed ${channel}`);
    });
    client.transmit('count', 1);
    client.transmit('count', 2);
    await client.call('#publish', { channel: 'room', data: 1 });
    await client.call('#publish', { channel: 'room', data: 3 });
    await client.call('#subscribe', { channel: 'a' });
    expect((await log.times('error', 3)).map(({ error }) => (error as Error).message).toSorted()).toEqual([
      'one',
      'room one',
      'subscribed a',
    ]);
    await until(() => seen.length === 2);
    expect(seen).toEqual([2, 3]);
  });
});

test('a typed server serves its procedures by functions from the connection on', async () => {
  const contract = defineContract({
    procedures: { add: { argument: type<[number, number]>(), result: type<number>() } },
  });
  const { server, open } = await startServer({ contract });
  void server.listener('connection').each(({ socket }) => {
    expect(socket).toBeInstanceOf(AGServerSocket);
    void (socket as unknown as AGServerSocket<typeof contract>)
      .procedure('add')
      .each(({ data: [a, b] }) => a + b);
  });
  const { client } = await open();
  expect(await client.call('add', [20, 22])).toMatchObject({ data: 42 });
});
