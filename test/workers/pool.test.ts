import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTest, RawConnection, until, withDeadline } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { stopProcess } from '../cluster/stop-process.js';
import {
  connectTo,
  connectToAll,
  hubFolders,
  type PoolClient,
  START_DEADLINE_MS,
  spawnPool,
} from './spawn-pool.js';

const DEADLINE_MS = START_DEADLINE_MS + 30_000;

/** The data of the messages of a channel, as a client got them. */
const received = ({ wire }: PoolClient): unknown[] =>
  wire.received
    .filter(({ event }) => event === '#publish')
    .map(({ data }) => (data as { data: unknown }).data);

describe('serve()', { timeout: DEADLINE_MS }, () => {
  test('workers share a port, and pass each other every message once, in order', async () => {
    const pool = spawnPool({ workers: 2 });
    const { port, workers } = await pool.first('serving');
    expect(workers.map(({ index, state }) => ({ index, state }))).toEqual([
      { index: 0, state: 'ready' },
      { index: 1, state: 'ready' },
    ]);
    expect(new Set(workers.map(({ pid }) => pid)).size).toBe(2);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^worker [01]$/);
    const [one, two] = (await connectToAll(port, 2)) as [PoolClient, PoolClient];
    await one.wire.call('#subscribe', { channel: 'room' });
    await two.wire.call('#subscribe', { channel: 'room' });
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const answers = await Promise.all(
      numbers.map((data) => one.wire.call('#publish', { channel: 'room', data })),
    );
    expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
    await until(() => received(two).length >= numbers.length, DEADLINE_MS);
    expect((await two.wire.call('#publish', { channel: 'room', data: 'end' })).error).toBeUndefined();
    await until(() => received(one).includes('end'), DEADLINE_MS);
    expect(received(two)).toEqual([...numbers, 'end']);
    expect(received(one)).toEqual([...numbers, 'end']);
  });

  test('a worker takes the tokens that another one signed', async () => {
    const { port } = await spawnPool({ workers: 2 }).first('serving');
    const [one] = (await connectToAll(port, 2)) as [PoolClient, PoolClient];
    await one.wire.call('login');
    const { data } = await one.wire.next(({ event }) => event === '#setAuthToken');
    const { token } = data as { token: string };
    const served = new Set<number>();
    while (served.size < 2) {
      const client = await connectTo(port, token);
      const handshake = client.wire.received.find(({ rid }) => rid === 1);
      expect(handshake?.data).toMatchObject({ isAuthenticated: true });
      served.add(client.index);
    }
  });

  test('fault 18: a worker that crashes takes only its clients with it, and is replaced', async () => {
    const pool = spawnPool({ workers: 2, restartDelay: { first: 50 } });
    const { port } = await pool.first('serving');
    const [one, two] = (await connectToAll(port, 2)) as [PoolClient, PoolClient];
    await two.wire.call('#subscribe', { channel: 'room' });
    one.wire.transmit('crash', null);
    expect((await one.wire.ended()).code).toBe(1006);
    const exit = await pool.first('workerExit');
    expect(exit).toMatchObject({ index: 0, pid: one.pid, code: 7, restartInMs: 50 });
    // Those of the other worker go on meanwhile.
    expect((await two.wire.call('who')).data).toEqual({ index: 1, pid: two.pid });
    const ready = await pool.first('workerReady');
    expect(ready.index).toBe(0);
    const [back] = (await connectToAll(port, 2)) as [PoolClient];
    expect(back.pid).toBe(ready.pid);
    expect((await back.wire.call('#publish', { channel: 'room', data: 'back' })).error).toBeUndefined();
    await until(() => received(two).includes('back'));
    pool.process.send('workers');
    expect((await pool.first('workers')).workers).toMatchObject([{ restarts: 1 }, { restarts: 0 }]);
  });

  test('a connection that was on its way to a worker when that was killed is closed', async () => {
    const pool = spawnPool({ workers: 2 });
    const { port, workers } = await pool.first('serving');
    const victim = workers[0]?.pid ?? 0;
    stopProcess(victim);
    // One is for the stopped worker; the other worker takes the rest.
    const connections = await Promise.all(Array.from({ length: 4 }, () => RawConnection.open(port)));
    for (const connection of connections) connection.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const waiting = (): RawConnection[] => connections.filter(({ isAnswered }) => !isAnswered);
    await until(() => waiting().length === 1);
    process.kill(victim, 'SIGKILL');
    await waiting()[0]?.ended();
    expect(waiting()).toHaveLength(1);
  });

  test('SIGHUP replaces one worker after the other: calls finish, clients are closed with 1012', async () => {
    const pool = spawnPool({ workers: 2, drainTimeout: 5000, drainSpread: 100 });
    const { port, workers } = await pool.first('serving');
    const clients = await connectToAll(port, 2);
    const slow = clients.map(({ wire }) => wire.call('slow', 300, DEADLINE_MS));
    pool.process.kill('SIGHUP');
    for (const [place, { wire, pid }] of clients.entries()) {
      expect(await slow[place]).toMatchObject({ data: pid });
      expect(await wire.ended(DEADLINE_MS)).toMatchObject({ code: 1012 });
      // Somebody serves all the time.
      await connectTo(port);
    }
    await until(() => pool.messages.filter(({ event }) => event === 'workerExit').length === 2, DEADLINE_MS);
    pool.process.send('workers');
    const { workers: now } = await pool.first('workers');
    expect(now).toMatchObject([
      { index: 0, state: 'ready', restarts: 0 },
      { index: 1, state: 'ready', restarts: 0 },
    ]);
    const old = new Set(workers.map(({ pid }) => pid));
    expect(now.filter(({ pid }) => old.has(pid))).toEqual([]);
  });

  test('SIGTERM lets calls finish, closes clients with 1012 and ends everything', async () => {
    const before = hubFolders();
    const pool = spawnPool({ workers: 2, drainTimeout: 5000, drainSpread: 200 });
    const { port } = await pool.first('serving');
    expect(hubFolders().length).toBeGreaterThan(before.length);
    const clients = await connectToAll(port, 2);
    const slow = clients.map(({ wire }) => wire.call('slow', 300, DEADLINE_MS));
    pool.process.kill('SIGTERM');
    for (const [place, { wire, pid }] of clients.entries()) {
      expect(await slow[place]).toMatchObject({ data: pid });
      expect(await wire.ended(DEADLINE_MS)).toMatchObject({ code: 1012 });
    }
    expect(await withDeadline(pool.exited, 'the end', DEADLINE_MS)).toEqual({ code: 0, signal: null });
    for (const { pid } of clients) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(hubFolders().filter((name) => !before.includes(name))).toEqual([]);
  });

  test('when the supervisor is killed the workers drain and end', async () => {
    const pool = spawnPool({ workers: 1, drainTimeout: 1000, drainSpread: 100 });
    const { port } = await pool.first('serving');
    const client = await connectTo(port);
    pool.process.kill('SIGKILL');
    expect(await client.wire.ended(DEADLINE_MS)).toMatchObject({ code: 1012 });
    await until(() => isGone(client.pid), DEADLINE_MS);
  });

  test.each([
    ['setup', 'Worker 0 did not start: Error: The database is not there'],
    ['no server', 'Worker 0 did not start: InvalidActionError: The setup of a worker must call attach()'],
  ] as const)('rejects with the reason when workers cannot start: %s', async (fault, text) => {
    const pool = spawnPool({ workers: 1, fault });
    const failed = await pool.first('failed');
    expect(failed.name).toBe('ProcessExitError');
    expect(failed.message).toContain(text);
    expect(await withDeadline(pool.exited, 'the end', DEADLINE_MS)).toEqual({ code: 1, signal: null });
  });

  test('rejects when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    afterTest(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as AddressInfo;
    const failed = await spawnPool({ workers: 2, port }).first('failed');
    expect(failed.message).toContain('EADDRINUSE');
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
