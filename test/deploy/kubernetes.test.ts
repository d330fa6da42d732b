import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterTest, freePort, programPath } from '@socketcluster-ts/testkit';
import type { Container } from 'kubernetes-types/core/v1.js';
import { describe, expect, test } from 'vitest';
import { type EngineProcess, startEngine } from '../cluster/engine-process.js';
import { instruction, textOf, variablesRead, yamlOf } from './deployment.js';
import { all, files, manifests, one, pods, selected } from './manifests.js';
import { NodeProcess } from './node-process.js';
import { misfits } from './typed-manifests.js';

/** What closing takes after a drain: what waits for the engine has 5 s. */
const CLOSE_SECONDS = 5;

/** One that begins with a digit is read as a number by the configuration of NATS. */
const SECRETS: Readonly<Record<string, string>> = {
  'nats-password': '1e5',
  'auth-key': 'a secret of the tests, which is long enough',
};

/** The environment of a container; what the cluster would fill in is taken from the tests. */
function environmentOf({ env = [] }: Container, podName = ''): Record<string, string> {
  const entries = env.map(({ name, value, valueFrom }): [string, string] => {
    const secret = valueFrom?.secretKeyRef?.key;
    const found = value ?? (secret === undefined ? podName : SECRETS[secret]);
    if (found === undefined) throw new Error(`README.md tells nobody to make the secret ${secret}`);
    return [name, found];
  });
  return Object.fromEntries(entries);
}

function secretsOf({ env = [] }: Container): string[] {
  return env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.key ?? []);
}

/** Starts the NATS servers as the manifests have them; only addresses and files are others. */
async function startNatsServers(): Promise<EngineProcess[]> {
  const { container } = selected({ app: 'nats' })[0] ?? {};
  const { data } = one('ConfigMap', 'nats');
  const { replicas = 0 } = one('StatefulSet', 'nats').spec ?? {};
  if (container === undefined) throw new Error('There are no pods of NATS');
  const routePorts = await Promise.all(Array.from({ length: replicas }, () => freePort()));
  let config = data?.['nats.conf'] ?? '';
  for (const [index, port] of routePorts.entries())
    config = config.replace(`nats://nats-${index}.nats-cluster:6222`, `nats://127.0.0.1:${port}`);
  expect(config).not.toContain('nats-cluster');
  const folder = mkdtempSync(join(tmpdir(), 'nats-'));
  afterTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return Promise.all(
    routePorts.map((routePort, index) => {
      const environment = environmentOf(container, `nats-${index}`);
      const file = join(folder, `${index}.conf`);
      const monitor = /^http_port: .*$/m;
      expect(config).toMatch(monitor);
      const text = config.replace(monitor, '').replace('$POD_NAME', environment['POD_NAME'] ?? '');
      writeFileSync(file, text.replace('port: 6222', `listen: 127.0.0.1:${routePort}`));
      return startEngine({
        program: programPath('nats-server'),
        args: (port, ownFolder) => [
          ...(container.args ?? []).map((arg) =>
            arg
              .replace('/etc/nats/nats.conf', file)
              .replace('/run/nats', ownFolder)
              .replace('$(NATS_PASSWORD)', environment['NATS_PASSWORD'] ?? ''),
          ),
          `--addr=127.0.0.1`,
          `--port=${port}`,
        ],
      });
    }),
  );
}

describe('the manifests', () => {
  test('are what the Kubernetes API takes', { timeout: 60_000 }, async () => {
    expect(await misfits(manifests)).toBe('');
  });

  test('would be refused with a field that the API does not have', { timeout: 60_000 }, async () => {
    const service = { ...one('Service', 'node'), spec: { selectors: { app: 'node' } } };
    expect(await misfits([service as never])).toContain(`'"selectors"' does not exist in type 'ServiceSpec'`);
  });

  test('are all applied together, in a namespace of their own', () => {
    const { resources, namespace } = yamlOf('kubernetes/kustomization.yaml') as {
      resources: string[];
      namespace: string;
    };
    expect(resources.toSorted()).toEqual(files);
    expect(one('Namespace', namespace).metadata?.namespace).toBeUndefined();
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test('have workloads, services, budgets and policies that select pods by labels that these have', () => {
    for (const { metadata, spec } of [...all('Deployment'), ...all('StatefulSet')])
      expect(selected(spec?.selector.matchLabels).map(({ name }) => name)).toEqual([metadata?.name]);
    for (const { spec } of all('PodDisruptionBudget')) {
      expect(selected(spec?.selector?.matchLabels)).toHaveLength(1);
      expect(spec?.maxUnavailable).toBe(1);
    }
    expect(all('PodDisruptionBudget')).toHaveLength(pods().length);
    for (const { spec } of pods()) {
      for (const { labelSelector } of spec.topologySpreadConstraints ?? [])
        expect(selected(labelSelector?.matchLabels)).toHaveLength(1);
    }
    for (const { spec } of all('NetworkPolicy')) {
      const [target] = selected(spec?.podSelector.matchLabels);
      for (const { from = [], ports = [] } of spec?.ingress ?? []) {
        for (const { podSelector } of from) expect(selected(podSelector?.matchLabels)).toHaveLength(1);
        for (const { port } of ports)
          expect(target?.container.ports?.map(({ name }) => name)).toContain(port);
      }
    }
  });

  test('lead from the ingress to a port of a service, and from there to one of a container', () => {
    const path = one('Ingress', 'node').spec?.rules?.[0]?.http?.paths[0];
    expect(path).toMatchObject({ path: '/socketcluster/', pathType: 'Exact' });
    const { name = '', port } = path?.backend.service ?? {};
    expect(one('Service', name).spec?.ports?.map((each) => each.name)).toContain(port?.name);
    for (const { spec } of all('Service')) {
      const [target] = selected(spec?.selector);
      const names = target?.container.ports?.map((each) => each.name);
      for (const { targetPort } of spec?.ports ?? []) expect(names).toContain(targetPort);
    }
    const [node] = selected({ app: 'node' });
    const { PORT } = environmentOf(node?.container ?? { name: '' });
    expect([PORT, String(node?.container.ports?.[0]?.containerPort)]).toEqual([
      instruction('EXPOSE'),
      instruction('EXPOSE'),
    ]);
    expect(textOf('kubernetes/ingress.yaml')).toMatch(/timeout-tunnel: 60s/);
  });

  test('have the nodes find NATS, and its servers each other', () => {
    const [node] = selected({ app: 'node' });
    const { hostname, port } = new URL(environmentOf(node?.container ?? { name: '' })['NATS_URL'] ?? '');
    expect(one('Service', hostname).spec?.ports?.map((each) => String(each.port))).toEqual([port]);
    const { serviceName = '', replicas = 0 } = one('StatefulSet', 'nats').spec ?? {};
    const service = one('Service', serviceName).spec;
    expect(service?.clusterIP).toBe('None');
    const config = one('ConfigMap', 'nats').data?.['nats.conf'] ?? '';
    expect([...config.matchAll(/nats:\/\/\S+/g)].map(([route]) => route)).toEqual(
      Array.from(
        { length: replicas },
        (_, index) => `nats://nats-${index}.${serviceName}:${service?.ports?.[0]?.port}`,
      ),
    );
    const [nats] = selected({ app: 'nats' });
    const mounted = nats?.container.volumeMounts?.map(({ name }) => name);
    expect(nats?.spec.volumes?.map(({ name }) => name)).toEqual(mounted);
    expect(all('ConfigMap').map(({ metadata }) => metadata?.name)).toContain(
      nats?.spec.volumes?.[0]?.configMap?.name,
    );
    const ports = nats?.container.ports?.map(({ containerPort }) => containerPort);
    expect([...config.matchAll(/\bport: (\d+)/g)].map(([, each]) => Number(each))).toEqual([4222, 6222]);
    expect(ports).toEqual([4222, 6222, 8222]);
  });

  test('give the nodes only what they read, and secrets that README.md tells how to make', () => {
    const [node, nats] = [selected({ app: 'node' })[0], selected({ app: 'nats' })[0]];
    const names = node?.container.env?.map(({ name }) => name) ?? [];
    expect(names.filter((name) => !variablesRead().has(name))).toEqual([]);
    const told = [...textOf('README.md').matchAll(/--from-literal=([\w-]+)=/g)].map(([, key]) => key);
    const asked = [node, nats].flatMap((each) => secretsOf(each?.container ?? { name: '' }));
    expect([...new Set(asked)].toSorted()).toEqual(told.toSorted());
    // NATS knows one user, and the nodes are that.
    expect(nats?.container.args).toContain(
      `--user=${environmentOf(node?.container ?? { name: '' })['NATS_USER']}`,
    );
  });

  test('leave more time than a pod takes to leave', () => {
    const [node] = selected({ app: 'node' });
    const { preStop } = node?.container.lifecycle ?? {};
    const drainSeconds = Number(environmentOf(node?.container ?? { name: '' })['DRAIN_TIMEOUT_MS']) / 1000;
    const needed = (preStop?.sleep?.seconds ?? Number.NaN) + drainSeconds + CLOSE_SECONDS;
    expect(node?.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
    // Until then the readiness probe, or the end of the pod, has taken it out of the service.
    const { periodSeconds = 0, failureThreshold = 0 } = node?.container.readinessProbe ?? {};
    expect(preStop?.sleep?.seconds).toBeGreaterThanOrEqual(periodSeconds * failureThreshold);

    const [nats] = selected({ app: 'nats' });
    const config = one('ConfigMap', 'nats').data?.['nats.conf'] ?? '';
    const seconds = (name: string): number => Number(new RegExp(`${name}: (\\d+)s`).exec(config)?.[1]);
    const lameDuck = seconds('lame_duck_duration') + seconds('lame_duck_grace_period');
    expect(nats?.spec.terminationGracePeriodSeconds).toBeGreaterThan(lameDuck);
  });

  test('run pods without rights', () => {
    for (const { spec, container } of pods()) {
      expect(spec.securityContext?.runAsNonRoot).toBe(true);
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('start NATS servers and nodes whose probes are answered, and that pass each other messages', {
    timeout: 60_000,
  }, async () => {
    const [pod] = selected({ app: 'node' });
    const { startupProbe, readinessProbe, livenessProbe } = pod?.container ?? {};
    const servers = await startNatsServers();
    const environment = { ...environmentOf(pod?.container ?? { name: '' }), PORT: '0' };
    // Each node at another server: what one publishes crosses from server to server.
    const nodes = await Promise.all(
      servers.map(({ port }) => NodeProcess.start({ ...environment, NATS_URL: `nats://127.0.0.1:${port}` })),
    );
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect(probe?.httpGet?.port).toBe(pod?.container.ports?.[0]?.name);
      for (const node of nodes) await node.answers(probe?.httpGet?.path ?? '', 200);
    }
    const clients = await Promise.all(nodes.map((node) => node.client()));
    const [publisher, ...subscribers] = clients;
    for (const subscriber of subscribers) await subscriber.call('#subscribe', { channel: 'news' });
    for (const subscriber of subscribers) {
      // The interest in a channel travels from server to server shortly after it was confirmed.
      for (let tries = 0; subscriber.received.every(({ event }) => event !== '#publish'); tries += 1) {
        expect(tries).toBeLessThan(1000);
        await publisher?.call('#publish', { channel: 'news', data: 'hello' });
      }
    }

    const [leaving] = nodes;
    leaving?.terminate();
    await leaving?.answers(readinessProbe?.httpGet?.path ?? '', 503);
    expect(await leaving?.probe(livenessProbe?.httpGet?.path ?? '')).toBe(200);
    expect(await leaving?.exited).toEqual({ code: 0, signal: null });
  });

  test('have NATS servers that take nobody without the password', { timeout: 60_000 }, async () => {
    const [server] = await startNatsServers();
    const { container } = selected({ app: 'node' })[0] ?? {};
    const environment = environmentOf(container ?? { name: '' });
    const stranger = await NodeProcess.start({
      ...environment,
      PORT: '0',
      NATS_URL: `nats://127.0.0.1:${server?.port}`,
      NATS_PASSWORD: 'a guess',
    });
    await stranger.answers('/live', 200);
    expect(await stranger.probe('/health')).toBe(503);
  });
});
