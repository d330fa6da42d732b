import type { Socket } from 'node:net';

/** What a piece of network does to what passes. Without any of these it passes as it comes. */
export interface NetworkShape {
  /** How late everything arrives, in ms. @default 0 */
  readonly latencyMs?: number;
  /** How much later at most, by chance; the order is kept. @default 0 */
  readonly jitterMs?: number;
  /** How much passes in a second. @default no limit */
  readonly bytesPerSecond?: number;
  /** Chance, from 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** How much may be under way before the sender has to wait. */
const IN_FLIGHT_BYTES = 64 * 1024;

/** Carries bytes from one socket to another, as slow as told. Ends with the `from` socket. */
export function link(from: Socket, to: Socket, shape: NetworkShape): void {
  const { latencyMs = 0, jitterMs = 0, bytesPerSecond = Infinity, random = Math.random } = shape;
  if (latencyMs === 0 && jitterMs === 0 && bytesPerSecond === Infinity) {
    from.pipe(to);
    return;
  }
  let lastAt = 0;
  let bytesInFlight = 0;
  // Timers that are due together may fire in any order: each brings what is first.
  const arrivals: (() => void)[] = [];
  const later = (bytes: number, arrive: () => void): void => {
    const now = performance.now();
    const onWire = (bytes / bytesPerSecond) * 1000;
    lastAt = Math.max(lastAt, now + latencyMs + jitterMs * random()) + onWire;
    arrivals.push(arrive);
    setTimeout(() => arrivals.shift()?.(), lastAt - now);
  };
  from.on('data', (chunk: Buffer) => {
    bytesInFlight += chunk.length;
    if (bytesInFlight >= IN_FLIGHT_BYTES) from.pause();
    later(chunk.length, () => {
      bytesInFlight -= chunk.length;
      if (!to.destroyed) to.write(chunk);
      if (bytesInFlight < IN_FLIGHT_BYTES && !from.destroyed) from.resume();
    });
  });
  from.on('end', () => later(0, () => to.end()));
}

/** From now on what comes is taken and thrown away, as by a network that has lost the way to the other side. */
export function unlink(from: Socket, to: Socket): void {
  from.unpipe(to);
  from.removeAllListeners('data');
  from.removeAllListeners('end');
  from.resume();
}
