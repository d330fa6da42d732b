import { answer, ours, requestUpgrade, startServer, until } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';

/** Keeps the event loop late by about so many milliseconds, until the returned function is called. */
function burn(ms: number): () => void {
  const timer = setInterval(() => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }, 1);
  return () => clearInterval(timer);
}

describe('limits.maxEventLoopLag', () => {
  ours(
    'refuses new connections while the event loop is late for long; who is connected is served',
    async () => {
      const { server, port, open, connect, warnings } = await startServer({
        limits: { maxEventLoopLag: 20 },
      });
      const { client, socket } = await open();
      answer(socket, 'echo', (data) => data);
      const early = await connect();
      const other = await connect();
      const cool = burn(60);
      try {
        await until(() => server.status === 'overloaded', 10_000);
        const { status, headers, body } = await requestUpgrade(port);
        expect([status, body]).toEqual([503, 'The server is overloaded']);
        expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(2);
        // Those whose upgrade was accepted before.
        early.send({ event: '#handshake', cid: 1, data: { ext: ['retry'] } });
        expect(await early.next()).toEqual({ event: '#retry', data: { delayMs: expect.any(Number) } });
        expect(await early.ended()).toEqual({ code: 1013, reason: '' });
        other.send({ event: '#handshake', cid: 1 });
        expect(await other.ended()).toEqual({ code: 1013, reason: '' });
        expect(other.received).toEqual([]);
        expect(await client.call('echo', 7)).toMatchObject({ data: 7 });
      } finally {
        cool();
      }
      await until(() => server.status === 'ready', 10_000);
      expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
      // One for the whole episode.
      expect(warnings).toMatchObject([
        { name: 'ResourceLimitError', message: 'Connections are refused: The server is overloaded' },
      ]);
    },
  );

  ours('is not passed by one long pause, nor by a storm of connections', async () => {
    const { server, port } = await startServer({ limits: { maxEventLoopLag: 100 } });
    expect(await requestUpgrade(port)).toMatchObject({ status: 101 });
    const end = performance.now() + 700;
    while (performance.now() < end);
    const answers = await Promise.all(Array.from({ length: 200 }, () => requestUpgrade(port)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([101]));
    expect(server.status).toBe('ready');
  });
});
