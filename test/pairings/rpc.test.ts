import {
  answer,
  collected,
  nextValue,
  onConnection,
  socketOf,
  startServer,
  take,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';

function failure(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

describe('the client calls the server', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['zero', 0],
    ['an empty string', ''],
    ['an object', { a: [1, { b: 'ü' }] }],
  ])('a procedure answers with %s', async (_what, value) => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'give', () => value));
    const client = await connectClient(started);

    expect(await client.invoke('give')).toEqual(value);
  });

  test('the data of the call reaches the procedure unchanged', async () => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    const data = { list: [1, null, 'x', { deep: { deeper: true } }], empty: {}, '': 'no name' };

    expect(await client.invoke('echo', data)).toEqual(data);
  });

  test('an error arrives with its name, its message and its own fields, and without its stack', async () => {
    const started = await startServer();
    onConnection(started, (socket) => {
      answer(socket, 'fail', () => {
        throw failure('QuotaError', 'Nothing left', { limit: 10, details: { used: [4, 6] } });
      });
    });
    const client = await connectClient(started);
    const frame = nextValue(client.listener('message'));
    const error = await client.invoke('fail').catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'QuotaError',
      message: 'Nothing left',
      limit: 10,
      details: { used: [4, 6] },
    });
    expect((await frame)['message']).not.toContain('stack');
  });

  test('100 calls at once get each its own answer, whatever the order of answering', async () => {
    const started = await startServer();
    onConnection(started, (socket) => {
      void (async () => {
        const calls = await take(socket.procedure('square'), 100);
        for (const call of calls.toReversed()) call.end(Number(call.data) ** 2);
      })();
    });
    const client = await connectClient(started);
    const numbers = Array.from({ length: 100 }, (_, index) => index);

    expect(await Promise.all(numbers.map((number) => client.invoke('square', number)))).toEqual(
      numbers.map((number) => number ** 2),
    );
  });

  test('a call nobody answers ends with a TimeoutError after the ack timeout of the client', async () => {
    const started = await startServer();
    const client = await connectClient(started, { ackTimeout: 60 });

    await expect(client.invoke('nobody', 1)).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'Event response for nobody event timed out',
    });
    await expect(client.invoke('nobody', 1, { ackTimeout: 20 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  test('an answer that comes after the ack timeout is ignored and the next call works', async () => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const held = nextValue(socket.procedure('slow'));
    await expect(client.invoke('slow', 1, { ackTimeout: 30 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    (await held).end('too late');

    expect(await client.invoke('echo', 'in time')).toBe('in time');
  });

  test('a pending call ends with a BadConnectionError when the connection goes', async () => {
    const started = await startServer();
    const client = await connectClient(started, { autoReconnect: false });
    const socket = await socketOf(started, client);
    const arrived = nextValue(socket.procedure('slow'));
    const outcome = client.invoke('slow').catch((reason: unknown) => reason);
    await arrived;
    await socket.disconnect(4100, 'closing');

    expect(await outcome).toMatchObject({ name: 'BadConnectionError' });
  });

  test('a second answer to one call throws and reaches nobody', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const held = nextValue(socket.procedure('once'));
    const outcome = client.invoke('once');
    const call = await held;
    call.end('first');

    expect(() => {
      call.end('second');
    }).toThrow(expect.objectContaining({ name: 'InvalidActionError' }));
    expect(await outcome).toBe('first');
  });

  test('calls made before the connection is there are answered after it', async () => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = createClient(started);

    expect(await Promise.all([client.invoke('echo', 1), client.invoke('echo', 2)])).toEqual([1, 2]);
  });
});

describe('the server calls the client', () => {
  test('the answer of the client is what `socket.invoke()` resolves with', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    answer(client, 'double', (data) => Number(data) * 2);
    const socket = await socketOf(started, client);

    expect(await socket.invoke('double', 4)).toBe(8);
    expect(await Promise.all([socket.invoke('double', 1), socket.invoke('double', 2)])).toEqual([2, 4]);
  });

  test('the error of the client is what `socket.invoke()` rejects with', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    answer(client, 'fail', () => {
      throw failure('BusyError', 'Not now', { retryAfter: 5 });
    });
    const socket = await socketOf(started, client);
    const error = await socket.invoke('fail').catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'BusyError', message: 'Not now', retryAfter: 5 });
  });

  test('a call the client does not answer ends with a TimeoutError after the ack timeout', async () => {
    const started = await startServer({ ackTimeout: 60 });
    const client = await connectClient(started);
    const socket = await socketOf(started, client);

    await expect(socket.invoke('nobody')).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'Event response for nobody event timed out',
    });
    await expect(socket.invoke('nobody', null, { ackTimeout: 20 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  test('a call that is pending when the client leaves ends with a BadConnectionError', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const arrived = nextValue(client.procedure('slow'));
    const outcome = socket.invoke('slow').catch((reason: unknown) => reason);
    await arrived;
    client.disconnect(4200, 'bye');

    expect(await outcome).toMatchObject({
      name: 'BadConnectionError',
      type: 'disconnect',
      code: 4200,
      reason: 'bye',
    });
  });

  test('both call each other inside one call', async () => {
    const started = await startServer();
    onConnection(started, (socket) => {
      answer(socket, 'ask', async (data) => `you said ${String(await socket.invoke('confirm', data))}`);
    });
    const client = await connectClient(started);
    answer(client, 'confirm', (data) => `yes to ${String(data)}`);

    expect(await client.invoke('ask', 'tea')).toBe('you said yes to tea');
  });
});

describe('transmits', () => {
  test('they arrive in order, both ways', async () => {
    const started = await startServer();
    const arrived: Promise<unknown[]>[] = [];
    onConnection(started, (socket) => arrived.push(take(socket.receiver('count'), 200)));
    const client = await connectClient(started);
    const counted = take(client.receiver('count'), 200);
    const socket = await socketOf(started, client);
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    for (const number of numbers) {
      void client.transmit('count', number);
      void socket.transmit('count', number);
    }

    expect(await arrived[0]).toEqual(numbers);
    expect(await counted).toEqual(numbers);
  });

  test('a transmit without data arrives as undefined, one with null as null', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const received = take(socket.receiver('hi'), 2);
    void client.transmit('hi');
    void client.transmit('hi', null);

    expect(await received).toEqual([undefined, null]);
  });

  test('transmits made before the connection is there arrive after it', async () => {
    const started = await startServer();
    const arrived: Promise<unknown[]>[] = [];
    onConnection(started, (socket) => arrived.push(take(socket.receiver('early'), 3)));
    const client = createClient(started);
    for (const number of [1, 2, 3]) void client.transmit('early', number);
    await nextValue(client.listener('connect'));
    await socketOf(started, client);

    expect(await arrived[0]).toEqual([1, 2, 3]);
  });

  test('one socket is spoken to, the others hear nothing', async () => {
    const started = await startServer();
    const [first, second] = await Promise.all([connectClient(started), connectClient(started)]);
    const atFirst = nextValue(first.receiver('secret'));
    const atSecond = collected(second.receiver('secret'));
    const socket = await socketOf(started, first);
    await socket.transmit('secret', 'for you only');

    expect(await atFirst).toBe('for you only');
    await second.invokePublish('fence', null);
    expect(atSecond).toEqual([]);
  });
});
