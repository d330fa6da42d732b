import { expect } from 'vitest';
import { startRedisCluster } from '../../cluster/redis-cluster.js';
import { FaultCluster } from '../fault-cluster.js';
import { faultRow } from '../fault-row.js';

faultRow(
  {
    row: '15',
    fault: 'slots of a Redis Cluster move under two nodes',
    inject: 'the slot of a channel goes to the next of three members, six times',
    holds: 'nothing is refused; what the move lost is in a gap that was told',
    limit: { of: 'recovery', ms: 5000 },
  },
  async (run) => {
    const { servers, slotOf, move } = await startRedisCluster();
    const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    const cluster = new FaultCluster(run);
    for (let n = 0; n < 2; n += 1) await cluster.add({ engine: 'redis', link: { cluster: { nodes } } });
    for (let round = 0; round < 6; round += 1) {
      await cluster.calm();
      const { slot, owner } = await slotOf(`channel-${round % 4}`);
      const next = servers[(servers.indexOf(owner) + 1) % servers.length] ?? owner;
      await move(slot, owner, next);
    }
    await cluster.heals(performance.now());
    expect(await cluster.failedPublishes()).toBe(0);
  },
);
