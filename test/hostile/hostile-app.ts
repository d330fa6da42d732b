import type { AGServer, AGServerSocket } from '@socketcluster-ts/server';

/** What a server holds; compared with what it held before an attack. */
export interface Vitals {
  readonly clients: number;
  readonly pendingClients: number;
  /** Channels that somebody is subscribed to. */
  readonly channels: readonly string[];
  /** Open sockets, timers and other things that the event loop waits for. */
  readonly handles: number;
  /** The heap, and what lies outside of it, in bytes. */
  readonly bytes: number;
  /** Enumerable properties that every object has. There are none, unless a prototype was written to. */
  readonly inherited: readonly string[];
}

/** Asks for the vitals, once they are back at these or the deadline has passed. */
export interface VitalsQuestion {
  readonly base: Vitals;
  readonly deadlineMs: number;
}

/** What a server may hold more than before: code that was compiled meanwhile, and pools of buffers. */
const ALLOWANCE = { bytes: 6 * 1024 * 1024, handles: 2 };
const LOOK_EVERY_MS = 20;

/** Stands for any number of bytes, in a question. */
export const ANY_BYTES: number = Number.MAX_SAFE_INTEGER;

/** Handles every value of a stream, without a test framework: this file runs in the attacked process. */
async function each<T>(stream: AsyncIterable<T>, handle: (value: T) => void): Promise<void> {
  for await (const value of stream) handle(value);
}

/** With which codes connections have ended, since somebody asked. */
const closures: unknown[] = [];

/** The application that is attacked, and the reports on how its process fares. */
export function serve(server: AGServer): void {
  void each(server.listener('handshake'), ({ socket }: { socket: AGServerSocket }) => {
    void each(socket.procedure('echo'), (request) => request.end(request.data));
    void each(socket.procedure('never'), () => {});
    // The server's own calls, of which it tells what became.
    void each(socket.procedure('ask me'), (request) => {
      socket.invoke('question', 'Sure?').then(
        (answer) => request.end(answer),
        (error: unknown) => request.error(error as Error),
      );
    });
    void each(socket.procedure('closures'), (request) => request.end(closures.splice(0)));
    void each(socket.procedure('log in'), (request) => {
      void socket.setAuthToken({ name: 'Ann' }).then(() => request.end());
    });
  });
  void each(server.listener('closure'), ({ code }) => closures.push(code));
  process.on('message', (question: VitalsQuestion) => {
    void tellVitals(server, question);
  });
}

async function tellVitals(server: AGServer, { base, deadlineMs }: VitalsQuestion): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  let vitals = takeVitals(server, base.bytes + ALLOWANCE.bytes);
  while (!isBackAt(base, vitals) && performance.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    vitals = takeVitals(server, base.bytes + ALLOWANCE.bytes);
  }
  process.send?.({ vitals, isBack: isBackAt(base, vitals) });
}

function takeVitals(server: AGServer, mostBytes: number): Vitals {
  const inherited: string[] = [];
  for (const key in {}) inherited.push(key);
  return {
    clients: server.clientsCount,
    pendingClients: server.pendingClientsCount,
    channels: server.brokerEngine.subscriptions().toSorted(),
    handles: process.getActiveResourcesInfo().length,
    bytes: heldBytes(mostBytes),
    inherited,
  };
}

/** What is held; what is garbage counts as well, unless together they are more than may be held. */
function heldBytes(mostBytes: number): number {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const bytes = used();
  // All of it takes long to collect, and most attacks leave little.
  if (bytes <= mostBytes && mostBytes < ANY_BYTES) return bytes;
  globalThis.gc?.();
  return used();
}

function isBackAt(base: Vitals, now: Vitals): boolean {
  return (
    now.clients === base.clients &&
    now.pendingClients === base.pendingClients &&
    now.channels.join() === base.channels.join() &&
    now.handles <= base.handles + ALLOWANCE.handles &&
    now.bytes <= base.bytes + ALLOWANCE.bytes
  );
}
