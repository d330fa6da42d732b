/** The image, as far as it can be judged without building it. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterTest } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { commandOf, instruction, textOf, variablesRead } from './deployment.js';
import { NodeProcess } from './node-process.js';

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const AUTH_KEY = 'a secret of the tests, which is long enough';
const root = new URL('../../', import.meta.url);

/** What is copied into the image, from the root of the repository. */
function copiedPaths(): string[] {
  return [...textOf('Dockerfile').matchAll(/^COPY --from=build (.*) \S+$/gm)]
    .flatMap(([, sources]) => sources?.split(' ') ?? [])
    .map((path) => path.replace(/^\/app\//, ''));
}

describe('the image', () => {
  test('runs as a user without rights, with nothing but Node and what the program needs', () => {
    const text = textOf('Dockerfile');
    const manifest = JSON.parse(textOf('package.json')) as Manifest;
    expect([...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)).toEqual([
      'node:20-slim',
      'node:20-slim',
    ]);
    expect(text).toContain(`RUN npm ci --omit=dev --workspace ${manifest.name}`);
    expect(text).not.toMatch(/\b(?:curl|wget|apt-get)\b/);
    expect(instruction('USER')).toBe('node');
    expect(text.indexOf('USER node')).toBeLessThan(text.indexOf('CMD ["node", "server.js"]'));
  });

  test('copies files that are there, and builds the packages that the program imports', () => {
    const copied = copiedPaths();
    expect(copied.length).toBeGreaterThan(3);
    expect(copied.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);

    const manifest = JSON.parse(textOf('package.json')) as Manifest;
    const imported = [...textOf('server.js').matchAll(/from '(@[^']+)'/g)].map(([, name]) => name);
    expect(imported.toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
    const built = /RUN npx tsc -b (.*)/.exec(textOf('Dockerfile'))?.[1]?.split(' ');
    // The compiler builds what these refer to, the server among them.
    expect(built?.toSorted()).toEqual(['packages/nats', 'packages/redis']);
  });

  test('has its settings described: all that the program reads, and no others', () => {
    const described = [...textOf('README.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name);
    // The runtime of containers sets it.
    const read = [...variablesRead()].filter((name) => name !== 'HOSTNAME');
    expect(described.toSorted()).toEqual(read.toSorted());
  });

  test('has all that the program needs when it is installed as the image does', {
    timeout: 120_000,
  }, async () => {
    const app = `${mkdtempSync(join(tmpdir(), 'image-'))}/`;
    afterTest(() => {
      rmSync(app, { recursive: true, force: true });
    });
    for (const path of copiedPaths()) {
      const filter = (file: string): boolean => basename(file) !== 'node_modules';
      cpSync(fileURLToPath(new URL(path, root)), join(app, path), { recursive: true, filter });
    }
    const install = /RUN npm (ci .*?) &&/.exec(textOf('Dockerfile'))?.[1]?.split(' ') ?? [];
    expect(install).toContain('--omit=dev');
    // What an outer npm has set is about its own folder.
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
    const environment = { ...Object.fromEntries(others), NODE_ENV: 'production' };
    await promisify(execFile)('npm', [...install, '--prefer-offline'], { cwd: app, env: environment });
    expect(existsSync(join(app, 'node_modules/typescript'))).toBe(false);
    const node = await NodeProcess.start({ AUTH_KEY, REDIS_URL: 'redis://127.0.0.1:1' }, app);
    await node.answers('/live', 200);
  });

  test('lives without its engine, and takes clients only with it', async () => {
    const node = await NodeProcess.start({ AUTH_KEY, REDIS_URL: 'redis://127.0.0.1:1' });
    await node.answers('/live', 200);
    expect(await node.probe('/health')).toBe(503);
    expect(await node.healthCheck()).toBe(1);
    expect(await node.probe('/anything')).toBe(404);
    expect(commandOf('HEALTHCHECK')).toEqual(['node', 'is-healthy.js']);
  });

  test.each([
    [{ AUTH_KEY, REDIS_URL: '' }, 'Exactly one of REDIS_URL and NATS_URL'],
    [{ AUTH_KEY, REDIS_URL: 'redis://x', NATS_URL: 'nats://x' }, 'Exactly one of REDIS_URL and NATS_URL'],
    [{ REDIS_URL: 'redis://x' }, 'AUTH_KEY must be set'],
    [{ AUTH_KEY, REDIS_URL: 'redis://x', DRAIN_TIMEOUT_MS: '25s' }, 'DRAIN_TIMEOUT_MS must be a number'],
  ])('does not start with the settings %j', async (environment, said) => {
    const node = new NodeProcess(environment);
    expect(await node.exited).toEqual({ code: 1, signal: null });
    expect(node.output).toContain(said);
  });
});
