import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterTest, programPath, withDeadline } from '@socketcluster-ts/testkit';

/** Starting takes a while on a machine that is busy. */
const START_DEADLINE_MS = 20_000;

/** A server of the current test. */
export interface RedisServer {
  readonly port: number;
  /** Sends a signal to the process, such as `SIGSTOP` and `SIGCONT`. */
  signal(name: NodeJS.Signals): void;
  /** Ends it as a crash does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port, with nothing of what it knew but its place in a cluster. */
  start(): Promise<void>;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** How to start a server. */
export interface RedisServerOptions {
  /** More arguments, behind the usual ones. */
  readonly args?: readonly string[];
  /** Arguments before the usual ones, such as a file. */
  readonly first?: readonly string[];
  /** Another server than Redis, by its path. */
  readonly program?: string;
  /** Given what ends the server and removes its folder. @default when the current test is over */
  readonly atEnd?: (end: () => Promise<void>) => void;
}

/** Starts a Redis, or another server that understands its arguments, on a free port of 127.0.0.1. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { args = [], first = [], program = programPath('redis-server'), atEnd = afterTest } = options;
  const chosen = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const gone = new Promise((resolve) => {
      running.once('exit', resolve);
    });
    running.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    const settings = [
      '--port',
      `${chosen}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const started = spawn(program, [...first, ...settings, ...args], { stdio: 'ignore' });
    child = started;
    await withDeadline(listening(chosen, started), `${program} to listen on ${chosen}`, START_DEADLINE_MS);
  };
  atEnd(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return { port: chosen, signal: (name) => void child?.kill(name), kill, start };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with exit code ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (isOpen) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
