import { defineContract, type Schema } from '@socketcluster-ts/server';
import { collected, deferred, startServer, turn } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';
import { startClockedServer } from '../seed/clocked-server.js';

function schema<T>(validate: (value: unknown) => unknown): Schema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

test('schemas that take their time keep the order of the packets, and hold up no other socket', async () => {
  const slow = deferred();
  const contract = defineContract({
    events: {
      slow: schema<number>(async (value) => {
        await slow.promise;
        return { value };
      }),
      fast: schema<number>((value) => ({ value })),
    },
  });
  const { open } = await startServer({ contract });
  const { client, socket } = await open();
  const { client: other, socket: otherSocket } = await open();
  const order: unknown[] = [];
  void socket.receiver('slow').each((data) => order.push(data));
  void socket.receiver('fast').each((data) => order.push(data));
  const others = collected(otherSocket.receiver('fast'));
  client.send([
    { event: 'slow', data: 1 },
    { event: 'fast', data: 2 },
  ]);
  client.transmit('slow', 3);
  client.transmit('fast', 4);
  other.transmit('fast', 5);
  await other.call('#unsubscribe', 'x');
  expect(others).toEqual([5]);
  expect(order).toEqual([]);
  expect(socket.getInboundBackpressure()).toBeGreaterThan(0);
  slow.resolve();
  await client.call('#unsubscribe', 'x');
  await turn();
  expect(order).toEqual([1, 2, 3, 4]);
});

test('a schema that never settles is given up after ackTimeout: the caller is told, and the next packet is processed', async () => {
  const contract = defineContract({
    procedures: { stuck: { argument: schema(() => new Promise(() => {})) } },
    events: { next: schema((value) => ({ value })) },
  });
  const { connect, advance } = startClockedServer({ contract, ackTimeout: 5000 });
  const { peer, socket } = await connect();
  const errors = collected(socket.listener('error'));
  const next = collected(socket.receiver('next'));
  peer.receive({ event: 'stuck', data: 1, cid: 7 });
  peer.receive({ event: 'next', data: 2 });
  await advance(4900);
  expect(next).toEqual([]);
  await advance(200);
  expect(next).toEqual([2]);
  expect(errors).toMatchObject([
    { error: { name: 'TimeoutError', message: 'The data of stuck could not be checked within 5000 ms' } },
  ]);
  expect(peer.sent.join('\n')).toContain('"rid":7,"error"');
});

test('a socket that closes while its data is checked is gone without a trace', async () => {
  const checking = deferred();
  const started = deferred();
  const contract = defineContract({
    procedures: {
      a: {
        argument: schema(async (value) => {
          started.resolve();
          await checking.promise;
          return { value };
        }),
      },
    },
  });
  const { open, errors, warnings } = await startServer({ contract });
  const { client, socket } = await open();
  const requests = collected(socket.procedure('a'));
  client.send({ event: 'a', data: 1, cid: 1 });
  await started.promise;
  client.close(1000);
  await socket.listener('end').once();
  checking.resolve();
  await turn();
  expect(requests).toEqual([]);
  expect([...errors, ...warnings]).toEqual([]);
});

test('a schema that throws is an error of that packet only, and its own error does not leave the process', async () => {
  const contract = defineContract({
    procedures: {
      bad: {
        argument: schema(() => {
          throw new Error('secret');
        }),
      },
      good: {},
    },
  });
  const { open, warning } = await startServer({ contract });
  const { client, socket } = await open();
  void socket.procedure('good').each((request) => request.end('served'));
  const reply = await client.call('bad', 1);
  expect(reply.error).toMatchObject({
    name: 'InvalidDataError',
    message: expect.stringContaining('could not be checked'),
  });
  expect(JSON.stringify(reply)).not.toContain('secret');
  expect(await warning()).toMatchObject({ cause: new Error('secret') });
  expect(await client.call('good')).toMatchObject({ data: 'served' });
});
