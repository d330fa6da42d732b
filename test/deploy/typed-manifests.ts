import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Manifest } from './manifests.js';

const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));
/** The groups of the Kubernetes API, and where `kubernetes-types` has them. */
const GROUPS: Readonly<Record<string, string>> = {
  v1: 'core/v1',
  'apps/v1': 'apps/v1',
  'policy/v1': 'policy/v1',
  'networking.k8s.io/v1': 'networking/v1',
};

/**
 * What the compiler says of manifests as values of the types of the Kubernetes API, which have every field: a name that
 * is misspelt, a value of another type, a field that is missing. Empty when there is nothing to say.
 */
export async function misfits(manifests: readonly Manifest[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  const lines = manifests.map((manifest, index) => {
    const group = GROUPS[manifest.apiVersion];
    if (group === undefined) throw new Error(`There are no types for ${manifest.apiVersion}`);
    const type = `import(${JSON.stringify(`${MODULES}kubernetes-types/${group}`)}).${manifest.kind}`;
    return `export const m${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  try {
    const file = join(folder, 'manifests.ts');
    writeFileSync(file, lines.join('\n'));
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--ignoreConfig',
      '--types',
      '',
      '--target',
      'es2023',
    ];
    const resolution = ['--module', 'preserve', '--moduleResolution', 'bundler'];
    return await new Promise((resolve) => {
      const program = join(MODULES, '.bin/tsc');
      execFile(program, [...options, ...resolution, file], { timeout: 60_000 }, (_error, stdout, stderr) => {
        resolve(`${stdout}${stderr}`);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
