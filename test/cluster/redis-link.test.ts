import { redisLink } from '@socketcluster-ts/redis';
import { describeLink, type EngineUnderTest } from './link-conformance.js';
import { startRedis } from './redis-server.js';

async function engine(): Promise<EngineUnderTest> {
  const server = await startRedis();
  return {
    link: () => redisLink({ redis: { host: '127.0.0.1', port: server.port }, timeout: 1000 }),
    stop: () => server.kill(),
    start: () => server.start(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  };
}

describeLink('Redis', engine);
