import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AGSimpleBroker, attach, healthHandler } from '@socketcluster-ts/server';
import { ours, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function ask(port: number, method = 'GET'): Promise<[status: number, body: unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}/health`, { method });
  const text = await response.text();
  expect(response.headers.get('cache-control')).toBe('no-store');
  return [response.status, text === '' ? undefined : JSON.parse(text)];
}

describe('healthHandler()', () => {
  ours('is 200 while the server is ready, and 503 from drain() on', async () => {
    let handler: Handler | undefined;
    const http = createServer((request, response) => handler?.(request, response));
    const { server, port, open } = await startServer({}, { http });
    handler = healthHandler(server);
    await open();
    expect(await ask(port)).toEqual([200, { status: 'ready', clients: 1 }]);
    expect(await ask(port, 'HEAD')).toEqual([200, undefined]);
    const drained = server.drain({ spread: 0 });
    expect(await ask(port)).toEqual([503, { status: 'draining', clients: expect.any(Number) }]);
    await drained;
    await server.close();
    expect(await ask(port)).toEqual([503, { status: 'closed', clients: 0 }]);
  });

  ours('is 200 while the broker is cut off from other nodes, which the others may be as well', async () => {
    class CutOffBroker extends AGSimpleBroker {
      status: 'connected' | 'degraded' = 'connected';
    }
    const brokerEngine = new CutOffBroker();
    let handler: Handler | undefined;
    const http = createServer((request, response) => handler?.(request, response));
    const { server, port } = await startServer({ brokerEngine }, { http });
    handler = healthHandler(server);
    await until(() => server.status === 'ready');
    brokerEngine.status = 'degraded';
    expect([server.isReady, ...(await ask(port))]).toEqual([false, 200, { status: 'degraded', clients: 0 }]);
  });

  ours('is 503 until the broker is ready; a broker that becomes ready later ends no drain()', async () => {
    const server = attach(createServer());
    const drained = attach(createServer());
    await drained.drain();
    const statuses: number[] = [];
    const response = { writeHead: (status: number) => statuses.push(status), end: () => {} };
    healthHandler(server)({} as IncomingMessage, response as unknown as ServerResponse);
    expect(statuses).toEqual([503]);
    expect([server.status, drained.status]).toEqual(['starting', 'draining']);
    await server.listener('ready').once();
    expect([server.status, server.isReady]).toEqual(['ready', true]);
    expect([drained.status, drained.isReady]).toEqual(['draining', false]);
    await server.close();
    await drained.close();
  });
});
