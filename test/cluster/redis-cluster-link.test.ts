import { redisLink } from '@socketcluster-ts/redis';
import { afterAll, beforeAll } from 'vitest';
import { describeLink, type EngineUnderTest } from './link-conformance.js';
import { type RedisCluster, startRedisCluster } from './redis-cluster.js';

const ends: (() => Promise<void>)[] = [];
let cluster: RedisCluster;

// One for the file: a cluster takes seconds to form.
beforeAll(async () => {
  cluster = await startRedisCluster(3, { atEnd: (end) => ends.push(end) });
}, 60_000);

afterAll(async () => {
  for (const end of ends) await end();
});

function engine(): EngineUnderTest {
  const { servers, whole } = cluster;
  const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  return {
    link: () => redisLink({ cluster: { nodes }, timeout: 1000 }),
    stop: async () => void (await Promise.all(servers.map((server) => server.kill()))),
    start: async () => {
      await Promise.all(servers.map((server) => server.start()));
      await whole();
    },
    pause: () => servers.forEach((server) => server.signal('SIGSTOP')),
    resume: () => servers.forEach((server) => server.signal('SIGCONT')),
  };
}

describeLink('Redis Cluster', engine);
