import { redisLink } from '@socketcluster-ts/redis';
import { programPathIfAny } from '@socketcluster-ts/testkit';
import { describeLink, type EngineUnderTest } from './link-conformance.js';
import { startRedis } from './redis-server.js';

async function engine(program?: string): Promise<EngineUnderTest> {
  const server = await startRedis(program === undefined ? {} : { program });
  return {
    link: () => redisLink({ redis: { host: '127.0.0.1', port: server.port }, timeout: 1000 }),
    stop: () => server.kill(),
    start: () => server.start(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  };
}

describeLink('Redis', () => engine());

// Debian has none yet: it is tested where somebody has installed it. CONTRIBUTING.md says so.
const valkey = programPathIfAny('valkey-server');
if (valkey !== undefined) describeLink('Valkey', () => engine(valkey));
