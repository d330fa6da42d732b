import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { loadAuthKey } from './auth-key.js';
import { Realtime } from './realtime.js';
import { StaticFiles } from './static-files.js';

const DEFAULT_PORT = 8000;
const SHUTDOWN_MS = 2000;

await main();

async function main(): Promise<void> {
  const port = readPort(process.env['PORT']);
  if (port === null) {
    fail(`PORT must be a number from 0 to 65535, but it is "${process.env['PORT'] ?? ''}".`);
    return;
  }
  const host = process.env['HOST'] || undefined;
  const authKey = await loadAuthKey(
    process.env['AUTH_KEY'],
    new URL('../../.demo-auth-key', import.meta.url),
  );
  const files = await StaticFiles.fromFolder(new URL('../page/', import.meta.url));

  const httpServer = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  // Before the real-time server adds its own listeners, so that this message is the only one.
  httpServer.on('error', (error: NodeJS.ErrnoException) => fail(explainListenError(error, port)));
  const realtime = new Realtime(httpServer, authKey);
  const startedAt = Date.now();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.split('?', 1)[0] !== '/health') return files.serve(request, response);
    const health = {
      status: 'ok',
      clients: realtime.clientsCount,
      upSeconds: Math.floor((Date.now() - startedAt) / 1000),
    };
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(`${JSON.stringify(health)}\n`);
  }

  let stopping = false;
  async function stop(): Promise<void> {
    // A second signal means: now.
    if (stopping) process.exit(1);
    stopping = true;
    const closed = new Promise<void>((resolve) => httpServer.close(() => resolve()));
    realtime.announceRestart();
    setTimeout(() => process.exit(1), SHUTDOWN_MS * 2).unref();
    await Promise.race([closed, delay(SHUTDOWN_MS, undefined, { ref: false })]);
    await realtime.close();
    httpServer.closeAllConnections();
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());

  httpServer.listen(port, host, () => {
    const { port: actualPort } = httpServer.address() as AddressInfo;
    console.log(`SocketCluster demo: http://${urlHost(host)}:${actualPort}`);
  });
}

function readPort(text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return DEFAULT_PORT;
  const port = Number(text);
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : null;
}

/** A server that listens everywhere is reached as localhost. */
function urlHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function explainListenError(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'EADDRINUSE') {
    const other = port < 65_535 ? port + 1 : port - 1;
    return `Port ${port} is already in use. Stop the other program, or choose another port: PORT=${other} npm start`;
  }
  if (error.code === 'EACCES')
    return `Port ${port} needs more rights than this user has. Choose one above 1023 with PORT.`;
  return `The server could not start: ${error.message}`;
}

function fail(message: string): void {
  console.error(message);
  process.exit(1);
}
