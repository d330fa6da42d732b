import { create as createOurs } from '@socketcluster-ts/client';
import { afterTest, collected, startServer, startTcpRelay, turn, until } from '@socketcluster-ts/testkit';
import published from 'socketcluster-client';
import { expect, test } from 'vitest';

const MIB = 1024 * 1024;
const PAD = 'x'.repeat(64 * 1024);
/** More than the buffers on the way hold. */
const MESSAGES = 400;

test.each([
  ['ours', createOurs, true],
  ['the published one', published.create, false],
] as const)(
  'a client behind a slow network, %s, goes on with what was not dropped',
  async (_, create, knowsGaps) => {
    const { server, port } = await startServer({
      limits: { outboundBudget: MIB, onSlow: 'drop-oldest' },
    });
    const relay = await startTcpRelay(port, { bytesPerSecond: 8 * MIB });
    const client = create({ hostname: '127.0.0.1', port: relay.port });
    afterTest(() => client.disconnect());
    const [errors, gaps, received] = [
      collected(client.listener('error')),
      collected(client.listener('gap')),
      [] as number[],
    ];
    const channel = client.subscribe('c');
    void (async () => {
      for await (const message of channel) received.push((message as { n: number }).n);
    })();
    await channel.listener('subscribe').once();
    for (let n = 0; n < MESSAGES; n += 1) {
      await server.exchange.invokePublish('c', { n, pad: PAD });
      await turn();
    }
    await until(() => received.at(-1) === MESSAGES - 1, 30_000);

    expect(received).toEqual(received.toSorted((a, b) => a - b));
    const dropped = MESSAGES - received.length;
    expect(dropped).toBeGreaterThan(0);
    expect(server.outboundDroppedMessageCount).toBe(dropped);
    const told = gaps.reduce((sum, gap) => sum + (gap as { dropped: number }).dropped, 0);
    expect(told).toBe(knowsGaps ? dropped : 0);
    expect(errors).toEqual([]);
    expect(client.state).toBe('open');
  },
  60_000,
);
