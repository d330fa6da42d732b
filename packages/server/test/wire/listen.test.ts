import { once } from 'node:events';
import { afterTest, ours, RawConnection, serverModule, upgradeRequest } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';

async function listening(): Promise<{ port: number; server: ReturnType<typeof serverModule.listen> }> {
  const server = serverModule.listen(0);
  const { httpServer } = server;
  afterTest(async () => {
    await server.close();
    httpServer.closeAllConnections();
    httpServer.close();
  });
  if (!httpServer.listening) await once(httpServer, 'listening');
  return { server, port: (httpServer.address() as { port: number }).port };
}

describe('the HTTP server of listen()', () => {
  ours('waits 10 s for the headers of a request, and 15 s for all of it', async () => {
    const { server } = await listening();
    expect(server.httpServer).toMatchObject({ headersTimeout: 10_000, requestTimeout: 15_000 });
  });

  ours('answers upgrade requests that are never finished with 408, and ends them', async () => {
    const { server, port } = await listening();
    // It looks every two seconds; nobody waits for the usual ten here.
    server.httpServer.headersTimeout = 100;
    const silent = await RawConnection.open(port);
    const half = await RawConnection.open(port);
    half.write(upgradeRequest(port).slice(0, -2));
    for (const connection of [silent, half]) {
      expect(await connection.head()).toMatch(/^HTTP\/1.1 408 /);
      await connection.ended();
    }
    expect(server.pendingClientsCount).toBe(0);
  });

  ours('answers headers of more than 16 KiB with 431', async () => {
    const { port } = await listening();
    const large = await RawConnection.open(port);
    large.write(upgradeRequest(port, { headers: { 'X-Large': 'x'.repeat(17 * 1024) } }));
    expect(await large.head()).toMatch(/^HTTP\/1.1 431 /);
    const usual = await RawConnection.upgrade(port, { headers: { 'X-Usual': 'x'.repeat(12 * 1024) } });
    expect(usual.isClosed).toBe(false);
  });
});
