import * as ours from '@socketcluster-ts/client';
import published from 'socketcluster-client';

const CALL_TIMEOUT_MS = 10_000;

/** Owns many clients, and what they have seen of the restarts of their servers. Each has the defaults of its library. */
export class Crowd {
  /** Connections that ended: when, and with which code. @type {{ at: number, code: number }[]} */
  closes = [];
  /** Connections that began: when, and how long the client was away before, in ms. */
  connects = [];
  answered = 0;
  /** Calls that failed: those that had been sent, and those that were made without a connection. */
  failed = { sent: 0, unsent: 0 };
  #isOver = false;
  #sockets;

  /**
   * @param {{ library: 'ours' | 'published', count: number, port: number, callEveryMs?: number, options?: object }} given
   *   without `callEveryMs` nobody calls
   */
  constructor({ library, count, port, callEveryMs, options }) {
    const { create } = library === 'ours' ? ours : published;
    this.#sockets = Array.from({ length: count }, () => {
      const socket = create({ hostname: '127.0.0.1', port, ackTimeout: CALL_TIMEOUT_MS, ...options });
      void this.#watch(socket);
      if (callEveryMs !== undefined) void this.#call(socket, callEveryMs);
      return socket;
    });
  }

  get size() {
    return this.#sockets.length;
  }

  get connected() {
    return this.#sockets.filter(({ state }) => state === 'open').length;
  }

  /** Resolves when everybody is connected; rejects when that takes too long. */
  async isComplete(deadlineMs = 120_000) {
    const giveUpAt = performance.now() + deadlineMs;
    while (this.connected < this.size) {
      if (performance.now() > giveUpAt)
        throw new Error(`${this.size - this.connected} clients did not come back`);
      await pass(20);
    }
  }

  leave() {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.disconnect();
  }

  async #watch(socket) {
    let leftAt;
    void (async () => {
      for await (const { code } of socket.listener('disconnect')) {
        if (this.#isOver) return;
        leftAt = performance.now();
        this.closes.push({ at: leftAt, code });
      }
    })();
    // Without a listener an error is thrown by the published client.
    void (async () => {
      for await (const _ of socket.listener('error'));
    })();
    for await (const _ of socket.listener('connect')) {
      const at = performance.now();
      this.connects.push({ at, awayMs: leftAt === undefined ? 0 : at - leftAt });
    }
  }

  async #call(socket, everyMs) {
    while (!this.#isOver) {
      const wasOpen = socket.state === 'open';
      try {
        await socket.invoke('echo', 'x');
        this.answered += 1;
      } catch (error) {
        if (this.#isOver) return;
        // Ours says it; of the published client a call made on an open connection has been sent.
        const wasSent = error.delivery === undefined ? wasOpen : error.delivery !== 'not-sent';
        this.failed[wasSent ? 'sent' : 'unsent'] += 1;
      }
      await pass(everyMs * (0.5 + Math.random()));
    }
  }
}

/** The largest number of times that lie within one second of each other. */
export function peakPerSecond(times) {
  const sorted = times.toSorted((a, b) => a - b);
  let first = 0;
  let peak = 0;
  for (const [index, time] of sorted.entries()) {
    while (time - sorted[first] > 1000) first += 1;
    peak = Math.max(peak, index - first + 1);
  }
  return peak;
}

/** The value that so many of 100 do not pass; 0 of none. */
export function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)] ?? 0;
}

export function pass(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
