/**
 * Names that the published client itself cannot handle, and why: it keeps channels and the handlers of reserved
 * events in plain objects, so `constructor`, `__proto__`, `toString` and the like
 *  - are never subscribed to (the inherited member is taken for an existing channel, and written to),
 *  - are never received as events or calls of the server (`__proto__` even throws in its message handler).
 * Those directions are tested by raw wire in the server package; here it only sends such names.
 */
import { answer, nextValue, onConnection, socketOf, startServer, take } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient } from './client.js';
import { leaveOutWith } from './left-out.js';

const inherited = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

const unusual: [what: string, name: string][] = [
  ['an empty name', ''],
  ['255 bytes', 'n'.repeat(255)],
  ['255 bytes of two-byte letters and one more', `${'é'.repeat(127)}x`],
  ['an emoji', '💬👩‍👩‍👧'],
  ['a space', ' '],
  ['a slash', 'a/b'],
  ['a path with the name of an event', 'room/subscribe'],
  ['quotes and a line break', '"quoted"\n\\\'\u2028'],
  ['a number', '42'],
  ['a hash that is not reserved', '#custom'],
  ['the name of an array property', 'length'],
  ['a NUL character', 'a\0b'],
];

describe.each(unusual)('%s', (_what, name) => {
  test('is a channel like any other', async () => {
    const started = await startServer();
    const client = await connectClient(started);
    const channel = client.subscribe(name);
    await nextValue(channel.listener('subscribe'));
    const socket = await socketOf(started, client);
    expect(socket.subscriptions()).toEqual([name]);
    const atServer = take(started.server.exchange.subscribe(name), 2);
    const atClient = take(channel, 2);
    await client.invokePublish(name, 1);
    await started.server.exchange.invokePublish(name, 2);

    expect(await atClient).toEqual([1, 2]);
    expect(await atServer).toEqual([1, 2]);
    const left = nextValue(socket.listener('unsubscribe'));
    channel.unsubscribe();
    expect(await left).toEqual({ channel: name });
    expect(socket.subscriptions()).toEqual([]);
  });

  test('is an event and a procedure like any other, both ways', async () => {
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, name, (data) => ['server', data]));
    const client = await connectClient(started);
    answer(client, name, (data) => ['client', data]);
    const socket = await socketOf(started, client);
    const atServer = nextValue(socket.receiver(name));
    const atClient = nextValue(client.receiver(name));
    await client.transmit(name, 1);
    await socket.transmit(name, 2);

    expect(await atServer).toBe(1);
    expect(await atClient).toBe(2);
    expect(await client.invoke(name, 3)).toEqual(['server', 3]);
    expect(await socket.invoke(name, 4)).toEqual(['client', 4]);
  });
});

describe.each(inherited)('%s', (name) => {
  test('is an event and a procedure that the client can send to', async () => {
    leaveOutWith('the published server', 'throws out of its message loop');
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, name, (data) => ['server', data]));
    const client = await connectClient(started);
    const told = nextValue((await socketOf(started, client)).receiver(name));
    await client.transmit(name, 1);

    expect(await told).toBe(1);
    expect(await client.invoke(name, 2)).toEqual(['server', 2]);
  });

  test('is a channel that the client can publish to and the server subscribe to', async () => {
    leaveOutWith('the published server', 'cannot subscribe to it');
    const started = await startServer();
    const client = await connectClient(started);
    const message = nextValue(started.server.exchange.subscribe(name));
    await client.invokePublish(name, 'hello');

    expect(await message).toBe('hello');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('is an event nobody listens to, and harms nobody', async () => {
    leaveOutWith('the published server', 'throws out of its message loop');
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started, { ackTimeout: 50 });
    await client.transmit(name, 1);
    await expect(client.invoke(name, 2)).rejects.toMatchObject({ name: 'TimeoutError' });

    expect(await client.invoke('echo', 'alive')).toBe('alive');
  });
});

test('data may use any name as a key', async () => {
  const started = await startServer();
  onConnection(started, (socket) => answer(socket, 'keys', (data) => Object.keys(data as object)));
  const client = await connectClient(started);
  const data = JSON.parse('{"__proto__":1,"constructor":2,"toString":3,"":4,"💬":5}') as object;

  expect(await client.invoke('keys', data)).toEqual(['__proto__', 'constructor', 'toString', '', '💬']);
});
