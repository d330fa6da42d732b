import { describe, expect, test } from 'vitest';
import { AGRequest, RpcHost } from '../src/index.js';

const request = (procedure: string): AGRequest =>
  new AGRequest({ sendObject: () => undefined }, 1, procedure, undefined);

/** One of the two families by the same names, so that both are held to the same tests. */
interface Family {
  readonly stream: (name: string) => AsyncIterable<unknown> & {
    createConsumer(timeout?: number): AsyncIterator<unknown> & { id: number };
  };
  readonly write: (name: string) => void;
  readonly has: (name: string) => boolean;
  readonly close: (name: string) => void;
  readonly closeAll: () => void;
  readonly kill: (name: string) => void;
  readonly killAll: () => void;
  readonly killConsumer: (id: number) => void;
  readonly getConsumerStats: (id: number) => unknown;
  readonly getConsumerStatsList: (name: string) => unknown[];
  readonly getAllConsumerStatsList: () => unknown[];
  readonly getBackpressure: (name: string) => number;
  readonly getAllBackpressure: () => number;
  readonly getConsumerBackpressure: (id: number) => number;
  readonly hasConsumer: (name: string, id: number) => boolean;
  readonly hasAnyConsumer: (id: number) => boolean;
}

function receivers(host: RpcHost): Family {
  return {
    stream: (name) => host.receiver(name),
    write: (name) => host.writeReceiver(name, 'data'),
    has: (name) => host.hasReceiver(name),
    close: (name) => host.closeReceiver(name),
    closeAll: () => host.closeAllReceivers(),
    kill: (name) => host.killReceiver(name),
    killAll: () => host.killAllReceivers(),
    killConsumer: (id) => host.killReceiverConsumer(id),
    getConsumerStats: (id) => host.getReceiverConsumerStats(id),
    getConsumerStatsList: (name) => host.getReceiverConsumerStatsList(name),
    getAllConsumerStatsList: () => host.getAllReceiversConsumerStatsList(),
    getBackpressure: (name) => host.getReceiverBackpressure(name),
    getAllBackpressure: () => host.getAllReceiversBackpressure(),
    getConsumerBackpressure: (id) => host.getReceiverConsumerBackpressure(id),
    hasConsumer: (name, id) => host.hasReceiverConsumer(name, id),
    hasAnyConsumer: (id) => host.hasAnyReceiverConsumer(id),
  };
}

function procedures(host: RpcHost): Family {
  return {
    stream: (name) => host.procedure(name),
    write: (name) => host.writeProcedure(name, request(name)),
    has: (name) => host.hasProcedure(name),
    close: (name) => host.closeProcedure(name),
    closeAll: () => host.closeAllProcedures(),
    kill: (name) => host.killProcedure(name),
    killAll: () => host.killAllProcedures(),
    killConsumer: (id) => host.killProcedureConsumer(id),
    getConsumerStats: (id) => host.getProcedureConsumerStats(id),
    getConsumerStatsList: (name) => host.getProcedureConsumerStatsList(name),
    getAllConsumerStatsList: () => host.getAllProceduresConsumerStatsList(),
    getBackpressure: (name) => host.getProcedureBackpressure(name),
    getAllBackpressure: () => host.getAllProceduresBackpressure(),
    getConsumerBackpressure: (id) => host.getProcedureConsumerBackpressure(id),
    hasConsumer: (name, id) => host.hasProcedureConsumer(name, id),
    hasAnyConsumer: (id) => host.hasAnyProcedureConsumer(id),
  };
}

const ended = { value: undefined, done: true };

describe.each([
  ['receivers', receivers],
  ['procedures', procedures],
])('the %s of a host', (_, familyOf) => {
  test('answer for names and ids that nobody knows, before and after they are made', () => {
    const family = familyOf(new RpcHost());
    for (const name of ['a', '__proto__', 'toString', '']) {
      family.write(name);
      family.close(name);
      family.kill(name);
      expect(family.has(name)).toBe(false);
      expect(family.getConsumerStatsList(name)).toEqual([]);
      expect(family.getBackpressure(name)).toBe(0);
      expect(family.hasConsumer(name, 1)).toBe(false);
      family.closeAll();
      family.killAll();
      family.killConsumer(1);
      expect(family.getConsumerStats(1)).toBeUndefined();
      expect(family.getAllConsumerStatsList()).toEqual([]);
      expect(family.getAllBackpressure()).toBe(0);
      expect(family.getConsumerBackpressure(1)).toBe(0);
      expect(family.hasAnyConsumer(1)).toBe(false);
      family.stream(name);
    }
  });

  test('tell how their consumers stand', () => {
    const family = familyOf(new RpcHost());
    const one = family.stream('a').createConsumer();
    const two = family.stream('__proto__').createConsumer(500);
    expect([one.id, two.id]).toEqual([1, 2]);
    family.write('__proto__');
    family.write('__proto__');
    expect(family.has('a') && family.has('__proto__')).toBe(true);
    expect(family.getConsumerStats(2)).toEqual({ id: 2, backpressure: 2, timeout: 500, stream: '__proto__' });
    expect(family.getConsumerStatsList('a')).toEqual([{ id: 1, backpressure: 0, stream: 'a' }]);
    expect(family.getAllConsumerStatsList()).toHaveLength(2);
    expect(family.getBackpressure('a')).toBe(0);
    expect(family.getBackpressure('__proto__')).toBe(2);
    expect(family.getAllBackpressure()).toBe(2);
    expect(family.getConsumerBackpressure(2)).toBe(2);
    expect(family.hasConsumer('a', 1)).toBe(true);
    expect(family.hasConsumer('a', 2)).toBe(false);
    expect(family.hasAnyConsumer(2)).toBe(true);
    expect([one, two]).toHaveLength(2);
  });

  test('let their consumers finish when they are closed', async () => {
    const family = familyOf(new RpcHost());
    const [one, two] = [family.stream('a').createConsumer(), family.stream('b').createConsumer()];
    family.write('a');
    family.write('b');
    family.close('a');
    expect((await one.next()).done).toBe(false);
    expect(await one.next()).toEqual(ended);
    family.closeAll();
    expect((await two.next()).done).toBe(false);
    expect(await two.next()).toEqual(ended);
  });

  test('end their consumers at once when they are killed', async () => {
    const family = familyOf(new RpcHost());
    const consumers = ['a', 'b', 'c'].map((name) => family.stream(name).createConsumer());
    for (const name of ['a', 'b', 'c']) family.write(name);
    family.kill('a');
    family.killConsumer(2);
    expect(family.getAllConsumerStatsList()).toHaveLength(1);
    family.killAll();
    expect(family.getAllBackpressure()).toBe(0);
    for (const consumer of consumers) expect(await consumer.next()).toEqual(ended);
  });
});

describe('RpcHost', () => {
  test('hands payloads and requests to the loops over them', async () => {
    const host = new RpcHost();
    const payload = host.receiver('a').once();
    const call = host.procedure('a').once();
    const sent = request('a');
    host.writeReceiver('a', { b: 1 });
    host.writeProcedure('a', sent);
    expect(await payload).toEqual({ b: 1 });
    expect(await call).toBe(sent);
  });

  test('keeps receivers, procedures and listeners apart, each with ids from 1', () => {
    const host = new RpcHost();
    const consumers = [
      host.receiver('a').createConsumer(),
      host.procedure('a').createConsumer(),
      host.listener('a').createConsumer(),
    ];
    expect(consumers.map((consumer) => consumer.id)).toEqual([1, 1, 1]);
    host.writeReceiver('a', 1);
    expect(consumers.map((consumer) => consumer.getBackpressure())).toEqual([1, 0, 0]);
    host.killAllProcedures();
    expect(host.hasAnyReceiverConsumer(1)).toBe(true);
    expect(host.hasAnyListenerConsumer(1)).toBe(true);
  });
});
