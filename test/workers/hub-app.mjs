// Opens a hub at the path that it is given, in a process of its own.
import { runnerImport } from 'vite';

const conditions = ['@socketcluster-ts/source', 'module', 'node', 'development|production'];
const { module } = await runnerImport('@socketcluster-ts/server/workers', {
  configFile: false,
  logLevel: 'error',
  resolve: { conditions },
  ssr: { resolve: { conditions } },
});
await module.openHub(process.argv[2]);
process.send('open');
process.once('disconnect', () => process.exit());
