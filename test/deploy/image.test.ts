/** The image, as far as it can be judged without building it. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandOf, instruction, textOf, variablesRead } from './deployment.js';
import { NodeProcess } from './node-process.js';

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const AUTH_KEY = 'a secret of the tests, which is long enough';
const root = new URL('../../', import.meta.url);

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
    const copied = [...textOf('Dockerfile').matchAll(/^COPY --from=build (.*) \S+$/gm)]
      .flatMap(([, sources]) => sources?.split(' ') ?? [])
      .map((path) => path.replace(/^\/app\//, ''));
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
