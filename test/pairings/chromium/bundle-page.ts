import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';
import { isPublishedClient } from '../client-under-test.js';

/** Bundles the program of the page with the client under test, as an application for browsers would. */
export async function bundlePage(): Promise<string> {
  const client = isPublishedClient ? 'socketcluster-client' : '@socketcluster-ts/client';
  const output = await build({
    configFile: false,
    logLevel: 'error',
    resolve: {
      alias: { 'client-under-test': client },
      conditions: ['@socketcluster-ts/source', 'module', 'browser', 'development|production'],
    },
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      rolldownOptions: { input: fileURLToPath(new URL('./page/main.ts', import.meta.url)) },
    },
  });
  const [{ output: files }] = [output].flat() as [Rolldown.RolldownOutput];
  if (files.length !== 1) throw new Error(`The bundle of the page has ${files.length} files instead of one`);
  return files[0].code;
}
