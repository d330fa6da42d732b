/** The process that loads the server of the soak run: a few lines around `test/soak/soak-load.ts`, which is TypeScript. */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const PROGRAM = fileURLToPath(new URL('../../test/soak/soak-load.ts', import.meta.url));

process.once('disconnect', () => process.exit(0));
const { module } = await runnerImport(PROGRAM, { configFile: false, logLevel: 'error' });
let load;
process.on('message', (message) => {
  obey(message).then(
    (done) => process.send({ done }),
    (error) => process.send({ failure: error.stack }),
  );
});
process.send({ ready: true });

/** Does what it is told, and gives the answer. */
async function obey({ order, port, seed, visits }) {
  if (order === 'begin') {
    load = new module.SoakLoad(port, seed);
    await load.warmUp(visits);
    await load.begin();
    return null;
  }
  if (order === 'end') await load.end();
  return load.sample();
}
