import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, programPath } from '@socketcluster-ts/testkit';
import { type EnginePlace, type EngineProcess, startEngine } from './engine-process.js';

/** Starts a NATS server on a free port, with more arguments and settings. */
export function startNats(
  args: readonly string[] = [],
  settings?: object,
  place?: EnginePlace,
): Promise<EngineProcess> {
  return startEngine({
    place,
    program: programPath('nats-server'),
    args: (port, folder) => [
      '--addr',
      place?.host ?? '127.0.0.1',
      '--port',
      `${port}`,
      ...args,
      ...(settings === undefined ? [] : ['--config', writeSettings(folder, settings)]),
    ],
  });
}

/** NATS reads JSON as well as its own form. */
function writeSettings(folder: string, settings: object): string {
  const file = join(folder, 'nats.json');
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

/** Starts a cluster of NATS servers; resolves when all listen. */
export async function startNatsCluster(size: number): Promise<EngineProcess[]> {
  const routePorts = await Promise.all(Array.from({ length: size }, () => freePort()));
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`).join(',');
  const servers: EngineProcess[] = [];
  for (const port of routePorts) {
    const address = `nats://127.0.0.1:${port}`;
    servers.push(await startNats(['--cluster', address, '--cluster_name', 'test', '--routes', routes]));
  }
  return servers;
}
