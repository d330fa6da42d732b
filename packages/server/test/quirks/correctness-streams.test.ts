import { nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { expect } from 'vitest';

ours(
  'C19: a killed consumer does not replay its backlog, and its backpressure is never negative',
  async () => {
    const { server } = await startServer();
    const consumer = server.listener('closure').createConsumer();
    for (let count = 0; count < 3; count += 1) server.emit('closure', {} as never);
    server.killListener('closure');
    expect(await consumer.next()).toMatchObject({ done: true });
    const next = consumer.next();
    server.emit('closure', { code: 4 } as never);
    expect(await next).toEqual({ value: { code: 4 }, done: false });
    expect(consumer.getBackpressure()).toBeGreaterThanOrEqual(0);
  },
);

ours('C19: a consumer that timed out is served again when it goes on', async () => {
  const { server } = await startServer();
  const consumer = server.listener('closure').createConsumer(5);
  await expect(consumer.next()).rejects.toMatchObject({ name: 'TimeoutError' });
  const next = consumer.next();
  server.emit('closure', { code: 1 } as never);
  expect(await next).toMatchObject({ done: false, value: { code: 1 } });
});

ours('C19: two calls of `next()` at a time are both served, in order', async () => {
  const { server } = await startServer();
  const consumer = server.listener('closure').createConsumer();
  const both = Promise.all([consumer.next(), consumer.next()]);
  server.emit('closure', { code: 1 } as never);
  server.emit('closure', { code: 2 } as never);
  expect(await both).toMatchObject([{ value: { code: 1 } }, { value: { code: 2 } }]);
});

ours('C19: `return()` gives a result that is done', async () => {
  const { server } = await startServer();
  const consumer = server.listener('closure').createConsumer();
  expect(await consumer.return()).toEqual({ value: undefined, done: true });
  expect(server.hasListenerConsumer('closure', consumer.id)).toBe(false);
});

ours('C20: `removeListener()` ends the loops of that event after their backlog', async () => {
  const { server } = await startServer();
  const read: unknown[] = [];
  const loop = (async () => {
    for await (const payload of server.listener('closure')) read.push(payload);
  })();
  const other = nextValue(server.listener('unsubscription'));
  server.emit('closure', {} as never);
  server.removeListener('closure');
  await loop;
  expect(read).toHaveLength(1);
  server.emit('unsubscription', {} as never);
  expect(await other).toEqual({});
});
