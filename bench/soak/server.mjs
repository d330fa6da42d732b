/**
 * The server of the soak run, in a process of its own: an application with everything switched on. Middleware on all lines, logins, calls in
 * both directions, and messages of its own. Its parent asks it for samples; `--leak` makes it keep what it should not.
 */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { attach } from '@socketcluster-ts/server';

/** A part of all actions is judged later, so that others come to wait behind them. */
const JUDGED_LATER = 0.02;
/** A leak that is to be found: so many numbers for each action. */
const LEAKED_NUMBERS = 128;
const COLLECTIONS = 3;

const leaked = process.argv.includes('--leak') ? [] : undefined;
const httpServer = createServer();
const server = attach(httpServer, {
  authKey: 'the key of the soak run, which signs nothing of value',
});
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const counts = { warnings: 0, calls: 0, answered: 0 };
let cpu = process.cpuUsage();
let sampledAt = performance.now();

// A pipe of the process, which is opened with the first use: a handle that is no leak.
void process.stderr;

server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, judge);
server.setMiddleware(server.MIDDLEWARE_INBOUND, judge);
server.setMiddleware(server.MIDDLEWARE_OUTBOUND, judge);
void server.listener('warning').each(() => void (counts.warnings += 1));
void server.listener('connection').each(({ socket }) => serve(socket));
httpServer.listen(0, '127.0.0.1', () => process.send({ port: httpServer.address().port }));
process.on('message', () => void sample().then((taken) => process.send({ sample: taken })));
process.once('disconnect', () => process.exit(0));

/** Says no to what is published to `members` by somebody who has not logged in. */
async function judge(stream) {
  for await (const action of stream) {
    leaked?.push(Array.from({ length: LEAKED_NUMBERS }, Math.random));
    if (Math.random() < JUDGED_LATER) await turn();
    if (action.type === action.PUBLISH_IN && action.channel === 'members' && action.socket.authToken === null)
      action.block(new Error('Only members write here'));
    else action.allow();
  }
}

function serve(socket) {
  void socket.procedure('echo').each(async ({ data }) => {
    // The other direction.
    if (Math.random() < 0.1) void ask(socket);
    return data;
  });
  void socket.procedure('login').each(async ({ data }) => {
    await socket.setAuthToken({ name: data });
    return data;
  });
  void socket.procedure('logout').each(() => socket.deauthenticate());
}

/** Calls a client, which answers, does not, or is gone. */
async function ask(socket) {
  counts.calls += 1;
  try {
    await socket.invoke('question', counts.calls, { ackTimeout: 2000 });
    counts.answered += 1;
  } catch {
    // Some have left before they could answer.
  }
}

async function sample() {
  const now = performance.now();
  const used = process.cpuUsage(cpu);
  const busy = (used.user + used.system) / 1000 / (now - sampledAt);
  const loopDelayP99Ms = delay.percentile(99) / 1e6;
  const loopDelayMaxMs = delay.max / 1e6;
  for (let round = 0; round < COLLECTIONS; round += 1) {
    globalThis.gc();
    await turn();
  }
  const { heapUsed, rss, external, arrayBuffers } = process.memoryUsage();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) {
    // Timers of the library come and go by the millisecond.
    if (name !== 'Timeout' && name !== 'Immediate') resources[name] = (resources[name] ?? 0) + 1;
  }
  cpu = process.cpuUsage();
  sampledAt = performance.now();
  // The collections are not the server's delay.
  delay.reset();
  return {
    heapBytes: heapUsed,
    residentBytes: rss,
    externalBytes: external,
    bufferBytes: arrayBuffers,
    resources,
    descriptors: readdirSync('/proc/self/fd').length,
    clients: server.clientsCount,
    pendingClients: server.pendingClientsCount,
    deadlines: server.deadlines.size,
    subscriptions: server.exchange.subscriptions?.().length ?? 0,
    loopDelayP99Ms,
    loopDelayMaxMs,
    busy,
    ...counts,
  };
}
