import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ServeOptions, WorkerInfo } from '@socketcluster-ts/server/workers';
import { afterTest, until, WireClient, withDeadline } from '@socketcluster-ts/testkit';

/** Each process loads the sources through a bundler, on a machine that may be busy. */
export const START_DEADLINE_MS = 60_000;

/** What the program tells. */
export type PoolMessage =
  | { event: 'serving'; port: number; workers: WorkerInfo[] }
  | { event: 'failed'; name: string; message: string }
  | { event: 'workers'; workers: WorkerInfo[] }
  | { event: 'workerReady'; index: number; pid: number }
  | { event: 'workerExit'; index: number; pid: number; code: number | null; restartInMs?: number };

/** The program in a process of its own. */
export interface SpawnedPool {
  readonly process: ChildProcess;
  readonly messages: readonly PoolMessage[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The first message of this kind, already there or to come. */
  first<E extends PoolMessage['event']>(event: E): Promise<PoolMessage & { event: E }>;
}

/** Runs the program with these options of `serve()`; `fault` has its setup fail. */
export function spawnPool(
  options: Omit<ServeOptions, 'setup' | 'link'> & { fault?: 'setup' | 'no server' } = {},
): SpawnedPool {
  const program = fileURLToPath(new URL('./pool-app.mjs', import.meta.url));
  const child = fork(program, [JSON.stringify(options)], { execArgv: [], silent: true });
  const messages: PoolMessage[] = [];
  child.on('message', (message) => messages.push(message as PoolMessage));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  afterTest(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    process: child,
    messages,
    exited,
    async first(event) {
      const find = (): PoolMessage | undefined => messages.find((message) => message.event === event);
      await until(() => find() !== undefined, START_DEADLINE_MS);
      return find() as never;
    },
  };
}

/** A client after its handshake, and which worker serves it. */
export interface PoolClient {
  readonly wire: WireClient;
  readonly index: number;
  readonly pid: number;
}

/** Connects a client to one of the workers. */
export async function connectTo(port: number, authToken: string | null = null): Promise<PoolClient> {
  const wire = await WireClient.connect(`ws://127.0.0.1:${port}/socketcluster/`);
  await wire.call('#handshake', { authToken });
  const { data } = await wire.call('who');
  return { wire, ...(data as { index: number; pid: number }) };
}

/** Connects clients until every worker serves one; gives one of each, by index. */
export async function connectToAll(port: number, workers: number): Promise<PoolClient[]> {
  const clients = new Map<number, PoolClient>();
  const connecting = (async () => {
    while (clients.size < workers) {
      const client = await connectTo(port);
      clients.set(client.index, client);
    }
  })();
  await withDeadline(connecting, 'a client at each worker', START_DEADLINE_MS);
  return [...clients.values()].toSorted((a, b) => a.index - b.index);
}

/** The folders of hubs that are there now. */
export function hubFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('socketcluster-'));
}
