// Opens a hub at the path that it is given, in a process of its own.
import { loadFromSources } from '../../packages/testkit/src/load-from-sources.mjs';

const { workers } = await loadFromSources({ workers: '@socketcluster-ts/server/workers' });
await workers.openHub(process.argv[2]);
process.send('open');
process.once('disconnect', () => process.exit());
