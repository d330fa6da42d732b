// A server whose clock can be set: the procedure 'set clock' takes by how many seconds it is wrong. `who` tells the token
// of the caller, 'call me' how long the server waited for an answer that did not come.
const RealDate = Date;
let shiftMs = 0;

class SetDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + shiftMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
}

export function serve(server) {
  globalThis.Date = SetDate;
  void server.listener('connection').each(({ socket }) => {
    void socket.procedure('set clock').each(({ data }) => {
      shiftMs = data * 1000;
    });
    void socket.procedure('call me').each(async ({ data: ackTimeout }) => {
      const startedAt = performance.now();
      const outcome = await socket.invoke('unanswered', null, { ackTimeout }).catch(({ name }) => name);
      return { outcome, ms: performance.now() - startedAt };
    });
    void socket.procedure('who').each(() => socket.authToken?.sub ?? null);
  });
}
