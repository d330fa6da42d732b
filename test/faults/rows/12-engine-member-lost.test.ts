import { startNatsCluster } from '../../cluster/nats-server.js';
import { startRedisCluster } from '../../cluster/redis-cluster.js';
import { FaultCluster } from '../fault-cluster.js';
import { type FaultRow, faultRow } from '../fault-row.js';
import { pass } from '../fault-server.js';

const LIMIT = { of: 'recovery', ms: 5000 } satisfies FaultRow['limit'];

faultRow(
  {
    row: '12c',
    fault: 'kill -9 of one of three members of a Redis Cluster',
    inject: 'SIGKILL, started again after 2 s',
    holds:
      'the channels of the other members are not concerned; its own come back with it, and a gap is told',
    limit: LIMIT,
  },
  async (run) => {
    const { servers, whole, slotOf } = await startRedisCluster();
    const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    const cluster = new FaultCluster(run);
    for (let n = 0; n < 2; n += 1) await cluster.add({ engine: 'redis', link: { cluster: { nodes } } });
    const { owner: lost } = await slotOf('channel-0');
    await cluster.calm();
    await lost.kill();
    await cluster.degraded();
    await pass(2000);
    await lost.start();
    await whole();
    await cluster.heals(performance.now());
  },
);

faultRow(
  {
    row: '12d',
    fault: 'kill -9 of one of three members of a NATS cluster',
    inject: 'SIGKILL of the member that both nodes use, started again after 2 s',
    holds: 'both go on at another member at once, and a gap is told',
    limit: LIMIT,
  },
  async (run) => {
    const members = await startNatsCluster(3);
    const servers = members.map(({ port }) => `nats://127.0.0.1:${port}`);
    const cluster = new FaultCluster(run);
    for (let n = 0; n < 2; n += 1) {
      await cluster.add({ engine: 'nats', link: { servers, noRandomize: true } });
    }
    await cluster.calm();
    await members[0]?.kill();
    const since = performance.now();
    const hasGaps = (): boolean => cluster.nodes.every(({ gaps }) => gaps.length > 0);
    await run.checker.until(hasGaps, 'both nodes to be elsewhere', run.patienceMs);
    await cluster.heals(since);
    await members[0]?.start();
    await pass(2000);
    await cluster.heals(performance.now());
  },
);
