import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterTest } from '@socketcluster-ts/testkit';

/** A load balancer of the current test: gives each connection to the next server that takes it. */
export interface Balancer {
  readonly port: number;
  add(port: number): void;
  /** New connections go elsewhere. */
  remove(port: number): void;
}

/** Starts a balancer in front of servers of 127.0.0.1. */
export async function startBalancer(...first: number[]): Promise<Balancer> {
  const ports = new Set(first);
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((near) => {
    near.on('error', () => {});
    near.pause();
    open.add(near);
    near.once('close', () => open.delete(near));
    const all = [...ports];
    turn += 1;
    tryEach(near, [...all.slice(turn % all.length), ...all.slice(0, turn % all.length)]);
  });
  afterTest(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    add: (port) => void ports.add(port),
    remove: (port) => void ports.delete(port),
  };
}

function tryEach(near: Socket, [port, ...others]: readonly number[]): void {
  if (port === undefined) {
    near.resetAndDestroy();
    return;
  }
  const far = connect(port, '127.0.0.1');
  far.once('connect', () => {
    far.off('error', next);
    far.on('error', () => {});
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  const next = (): void => tryEach(near, others);
  far.once('error', next);
}
