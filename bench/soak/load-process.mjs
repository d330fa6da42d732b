/** The process that loads the server of the soak run: a few lines around `test/soak/soak-load.ts`, which is TypeScript. */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const PROGRAM = fileURLToPath(new URL('../../test/soak/soak-load.ts', import.meta.url));

process.once('disconnect', () => process.exit(0));
const { module } = await runnerImport(PROGRAM, { configFile: false, logLevel: 'error' });
let load;
process.on('message', async ({ order, port, seed }) => {
  try {
    if (order === 'begin') {
      load = new module.SoakLoad(port, seed);
      await load.begin();
      process.send({ done: null });
    } else if (order === 'sample') process.send({ done: load.sample() });
    else if (order === 'end') {
      await load.end();
      process.send({ done: load.sample() });
    }
  } catch (error) {
    process.send({ failure: error.stack });
  }
});
process.send({ ready: true });
