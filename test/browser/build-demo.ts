import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Makes the page of the demo, as `npm start` does; its server was made by the compiler. */
export async function setup(): Promise<void> {
  const configFile = fileURLToPath(new URL('../../examples/demo/vite.config.ts', import.meta.url));
  await build({ configFile, logLevel: 'warn' });
}
