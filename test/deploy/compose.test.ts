import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { programPath } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { startRedis } from '../cluster/redis-server.js';
import { instruction, textOf, variablesRead, yamlOf } from './deployment.js';
import { NodeProcess } from './node-process.js';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<'proxy' | 'node' | 'engine', Service>>;
  readonly networks: {
    readonly front: { readonly ipam: { readonly config: readonly { readonly subnet: string }[] } };
    readonly back: { readonly internal: boolean };
  };
}

const PASSWORD = 'only-of-the-tests';
const SECRETS: Readonly<Record<string, string>> = {
  REDIS_PASSWORD: PASSWORD,
  AUTH_KEY: 'a secret of the tests, which is long enough',
};
const folder = new URL('../../examples/cluster/', import.meta.url);
const { services, networks } = yamlOf('compose.yaml') as Compose;
const { proxy, node, engine } = services;
const haproxy = textOf('haproxy.cfg');

/** A text as Compose gives it to a container. */
function filled(text: string): string {
  return text.replaceAll(/\$\{(\w+)(?::\?[^}]*)?\}/g, (_, name: string) => {
    const value = SECRETS[name];
    if (value === undefined) throw new Error(`README.md tells nobody to set ${name}`);
    return value;
  });
}

/** The environment of the nodes, with the engine at another address. */
function environmentOf(enginePort: number): Record<string, string> {
  const entries = Object.entries(node.environment ?? {}).map(([name, value]) => [name, filled(value)]);
  const environment = Object.fromEntries(entries) as Record<string, string>;
  return {
    ...environment,
    REDIS_URL: environment['REDIS_URL']?.replace('@engine:6379', `@127.0.0.1:${enginePort}`) ?? '',
  };
}

describe('the compose file', () => {
  test('refers only to what is there', () => {
    for (const service of Object.values(services)) {
      expect(Object.keys(networks)).toEqual(expect.arrayContaining([...service.networks]));
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(condition).toBe('service_healthy');
        const needed = services[name as keyof typeof services];
        // The nodes have the check of their image.
        expect(needed.healthcheck !== undefined || needed.build !== undefined).toBe(true);
      }
      for (const volume of service.volumes ?? [])
        expect(existsSync(new URL(volume.split(':', 1)[0] ?? '', folder))).toBe(true);
    }
    const context = new URL(`${node.build?.context}/`, folder);
    expect(new URL(node.build?.dockerfile ?? '', context)).toEqual(new URL('Dockerfile', folder));
  });

  test('has the proxy reach the nodes, the nodes the engine, and nobody else that', () => {
    expect(haproxy).toContain(`node:${instruction('EXPOSE')} resolvers`);
    expect(proxy.ports).toEqual(['80:8080']);
    expect(haproxy).toContain('bind :8080\n');
    expect(proxy.networks).toEqual(['front']);
    expect(node.networks).toEqual(['front', 'back']);
    expect(engine.networks).toEqual(['back']);
    expect(engine.ports).toBeUndefined();
    expect(networks.back.internal).toBe(true);
    expect(node.environment?.['TRUSTED_PROXIES']).toBe(networks.front.ipam.config[0]?.subnet);
  });

  test('gives the nodes only what they read, and more time than their drain takes', () => {
    const names = Object.keys(node.environment ?? {});
    expect(names.filter((name) => !variablesRead().has(name))).toEqual([]);
    const drainSeconds = Number(node.environment?.['DRAIN_TIMEOUT_MS']) / 1000;
    expect(Number.parseInt(node.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(drainSeconds + 10);
  });

  test('has secrets that README.md tells how to set', () => {
    const asked = [...textOf('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? '');
    expect([...new Set(asked)].toSorted()).toEqual(Object.keys(SECRETS).toSorted());
    for (const name of asked) expect(textOf('README.md')).toContain(`${name}=`);
  });

  test('has a configuration that HAProxy takes', () => {
    const file = new URL('haproxy.cfg', folder).pathname;
    expect(() => execFileSync(programPath('haproxy'), ['-c', '-f', file], { stdio: 'pipe' })).not.toThrow();
  });

  test('starts an engine and nodes that pass each other messages, and drain', {
    timeout: 60_000,
  }, async () => {
    const [program, ...args] = engine.command ?? [];
    expect(program).toBe('redis-server');
    const redis = await startRedis({ args: args.map(filled) });
    const environment = environmentOf(redis.port);
    const [one, other] = await Promise.all([NodeProcess.start(environment), NodeProcess.start(environment)]);
    await Promise.all([one.answers('/health', 200), other.answers('/health', 200)]);
    expect(await one.healthCheck()).toBe(0);

    const [publisher, subscriber] = await Promise.all([one.client(), other.client()]);
    await subscriber.call('#subscribe', { channel: 'news' });
    await publisher.call('#publish', { channel: 'news', data: 'hello' });
    expect(await subscriber.next()).toMatchObject({
      event: '#publish',
      data: { channel: 'news', data: 'hello' },
    });

    other.terminate();
    await other.answers('/health', 503);
    expect(await other.probe('/live')).toBe(200);
    expect((await subscriber.ended(30_000)).code).toBe(1012);
    expect(await other.exited).toEqual({ code: 0, signal: null });
    expect(other.output).toContain('left {"closed":1,"terminated":0,"interrupted":0}');
  });

  test('keeps the engine from those who do not know its password', { timeout: 60_000 }, async () => {
    const redis = await startRedis({ args: ['--requirepass', 'another'] });
    const stranger = await NodeProcess.start(environmentOf(redis.port));
    await stranger.answers('/live', 200);
    expect(await stranger.probe('/health')).toBe(503);
  });
});
