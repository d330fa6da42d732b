import { nextValue, startServer, turn } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';

/** Reads a stream to its end and gives everything that was read. */
async function readAll<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

test('method `listener(eventName)`: gives a stream for `for await`, and any number of readers', async () => {
  const { server } = await startServer();
  const first = readAll(server.listener('warning'));
  const second = readAll(server.listener('warning'));
  server.emit('warning', { warning: new Error('one') });
  server.emit('warning', { warning: new Error('two') });
  server.closeListener('warning');
  const messages = (await first).map(({ warning }) => (warning as Error).message);
  expect(messages).toEqual(['one', 'two']);
  expect(await second).toHaveLength(2);
});

test('method `listener(eventName)`: holds nothing that was emitted before the reading began', async () => {
  const { server } = await startServer();
  const stream = server.listener('warning');
  server.emit('warning', { warning: new Error('too early') });
  const next = nextValue(stream);
  server.emit('warning', { warning: new Error('in time') });
  expect(await next).toMatchObject({ warning: { message: 'in time' } });
});

test('method `closeListener(eventName)`: ends loops when they have read their backlog', async () => {
  const { server } = await startServer();
  const read = readAll(server.listener('unsubscription'));
  server.emit('unsubscription', {} as never);
  server.emit('unsubscription', {} as never);
  server.closeListener('unsubscription');
  server.emit('unsubscription', {} as never);
  expect(await read).toHaveLength(2);
});

test('method `closeListener(eventName)`: leaves the loops of other events alone', async () => {
  const { server } = await startServer();
  const other = nextValue(server.listener('closure'));
  const read = readAll(server.listener('unsubscription'));
  server.closeListener('unsubscription');
  expect(await read).toEqual([]);
  server.emit('closure', {} as never);
  expect(await other).toEqual({});
});

test('method `closeAllListeners()`: ends the loops of every event after their backlog', async () => {
  const { server } = await startServer();
  const unsubscription = readAll(server.listener('unsubscription'));
  const warning = readAll(server.listener('warning'));
  server.emit('unsubscription', {} as never);
  server.emit('warning', { warning: new Error('last words') });
  server.closeAllListeners();
  expect(await unsubscription).toHaveLength(1);
  expect(await warning).toHaveLength(1);
});

test('method `killListener(eventName)`: ends loops at once and drops their backlog', async () => {
  const { server } = await startServer();
  const consumer = server.listener('unsubscription').createConsumer();
  server.emit('unsubscription', {} as never);
  server.emit('unsubscription', {} as never);
  expect(server.getListenerBackpressure('unsubscription')).toBe(2);
  server.killListener('unsubscription');
  expect(server.getListenerBackpressure('unsubscription')).toBe(0);
  expect(await consumer.next()).toMatchObject({ done: true });
});

test('method `killListener(eventName)`: ends a loop that waits, and leaves other events alone', async () => {
  const { server } = await startServer();
  const other = server.listener('closure').createConsumer();
  const read = readAll(server.listener('unsubscription'));
  server.killListener('unsubscription');
  expect(await read).toEqual([]);
  expect(other.isAlive).toBe(true);
});

test('method `killAllListeners()`: ends the loops of every event at once and drops their backlog', async () => {
  const { server } = await startServer();
  const unsubscription = server.listener('unsubscription').createConsumer();
  const closure = server.listener('closure').createConsumer();
  server.emit('unsubscription', {} as never);
  server.emit('closure', {} as never);
  server.killAllListeners();
  expect(server.getAllListenersBackpressure()).toBe(0);
  expect(await unsubscription.next()).toMatchObject({ done: true });
  expect(await closure.next()).toMatchObject({ done: true });
});

test('method `getAllListenersBackpressure()`: is the highest backpressure of all listeners', async () => {
  const { server } = await startServer();
  await turn();
  expect(server.getAllListenersBackpressure()).toBe(0);
  server.listener('unsubscription').createConsumer();
  server.listener('closure').createConsumer();
  for (let count = 0; count < 3; count += 1) server.emit('unsubscription', {} as never);
  server.emit('closure', {} as never);
  expect(server.getAllListenersBackpressure()).toBe(3);
});

test('method `getListenerBackpressure(eventName)`: is the highest backpressure of its consumers', async () => {
  const { server } = await startServer();
  const quick = server.listener('closure').createConsumer();
  server.emit('closure', {} as never);
  server.listener('closure').createConsumer();
  server.emit('closure', {} as never);
  expect(server.getListenerBackpressure('closure')).toBe(2);
  await quick.next();
  await quick.next();
  expect(server.getListenerBackpressure('closure')).toBe(1);
  expect(server.getListenerBackpressure('nobody listens')).toBe(0);
});

test('method `getListenerConsumerStatsList(eventName)`: tells id and backpressure of each consumer', async () => {
  const { server } = await startServer();
  const first = server.listener('closure').createConsumer();
  server.emit('closure', {} as never);
  const second = server.listener('closure').createConsumer();
  expect(server.getListenerConsumerStatsList('closure')).toEqual([
    expect.objectContaining({ id: first.id, backpressure: 1 }),
    expect.objectContaining({ id: second.id, backpressure: 0 }),
  ]);
  expect(server.getListenerConsumerStatsList('nobody listens')).toEqual([]);
});

test('method `getAllListenersConsumerStatsList()`: lists the consumers of every event', async () => {
  const { server } = await startServer();
  const before = server.getAllListenersConsumerStatsList().length;
  const closure = server.listener('closure').createConsumer();
  const unsubscription = server.listener('unsubscription').createConsumer();
  server.emit('unsubscription', {} as never);
  const list = server.getAllListenersConsumerStatsList();
  expect(list).toHaveLength(before + 2);
  expect(list).toContainEqual(
    expect.objectContaining({ id: closure.id, backpressure: 0, stream: 'closure' }),
  );
  expect(list).toContainEqual(
    expect.objectContaining({ id: unsubscription.id, backpressure: 1, stream: 'unsubscription' }),
  );
});

test('method `killListenerConsumer(consumerId)`: ends that one loop and no other', async () => {
  const { server } = await startServer();
  const target = server.listener('closure').createConsumer();
  const bystander = nextValue(server.listener('closure'));
  const loop = readAll(target);
  server.killListenerConsumer(target.id);
  expect(await loop).toEqual([]);
  server.emit('closure', {} as never);
  expect(await bystander).toEqual({});
  expect(server.hasListenerConsumer('closure', target.id)).toBe(false);
});
