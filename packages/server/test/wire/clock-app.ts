import type { AGServer } from '@socketcluster-ts/server';

const RealDate = Date;
let shiftMs = 0;

/** The clock of the process, which can be set; what runs on the monotonic clock does not see it. */
class ShiftedDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(RealDate.now() + shiftMs);
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

/** Runs in the spawned server: a client may set the clock of the process, and have the server call it. */
export function serve(server: AGServer): void {
  globalThis.Date = ShiftedDate as DateConstructor;
  void server.listener('connection').each(({ socket }) => {
    void socket.procedure<number>('set clock').each(({ data }) => {
      shiftMs = data * 1000;
      return new Date().toISOString();
    });
    void socket.procedure<object>('log in').each(({ data }) => socket.setAuthToken(data));
    void socket.procedure('who').each(() => socket.authToken);
    // A call that nobody answers: its timeout says whether the timers of the server keep time.
    void socket.procedure<number>('call me').each(async ({ data }) => {
      const startedAt = performance.now();
      const outcome = await socket
        .invoke('unanswered', null, { ackTimeout: data })
        .catch((error: Error) => error.name);
      return { outcome, ms: Math.round(performance.now() - startedAt) };
    });
  });
}
