import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Our packages, which are bundled from their sources; everything else is imported as it is. */
const OURS = /^@socketcluster-ts\//;

/** In a folder of this package, so that the packages which are imported are found from there. */
const folder = fileURLToPath(new URL('../node_modules/.loaded/', import.meta.url));

/**
 * Imports modules (`[{ name: specifier or path }]`) from their TypeScript sources, those of our packages that they import included, into one
 * module with an export for each name: so all of them share what they import. Takes a tenth of a second of work.
 */
export async function loadFromSources(modules) {
  const lines = Object.entries(modules).map(
    ([name, from]) => `export * as ${name} from ${JSON.stringify(from)};`,
  );
  const { outputFiles } = await build({
    stdin: { contents: lines.join('\n'), resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@socketcluster-ts/source'],
    logLevel: 'silent',
    plugins: [
      {
        name: 'others-stay-outside',
        setup: (building) =>
          building.onResolve({ filter: /^[^.]/ }, ({ path }) =>
            OURS.test(path) || isAbsolute(path) ? undefined : { path, external: true },
          ),
      },
    ],
  });
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${process.pid}-${Math.random().toString(36).slice(2)}.mjs`;
  writeFileSync(file, outputFiles[0].contents);
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(file);
  }
}
