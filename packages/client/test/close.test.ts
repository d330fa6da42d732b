import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterTest, nextValue, startServer, until, withDeadline } from '@socketcluster-ts/testkit';
import { build } from 'vite';
import { describe, expect, test } from 'vitest';
import { create } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

describe('close()', () => {
  test('resolves when the connection is closed, and the client does not come back', async () => {
    const { port, server } = await startServer();
    const client = create({ hostname: '127.0.0.1', port });
    await nextValue(client.listener('connect'));
    const left = nextValue(server.listener('disconnection'));
    await client.close(4100, 'done');
    expect(await left).toMatchObject({ code: 4100, reason: 'done' });
    expect([client.state, client.pendingReconnect]).toEqual(['closed', false]);
  });

  test('ends an attempt to connect, and the wait for the next one', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client();
    await client.close();
    expect(client.state).toBe('closed');
    const other = create({ hostname: '127.0.0.1', port: 9 });
    await until(() => other.pendingReconnect);
    await other.close();
    expect(other.pendingReconnect).toBe(false);
  });

  test('cuts a connection whose server does not answer', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const connection = await server.connection();
    await until(() => client.state === 'open');
    connection.socket.pause();
    await client.close();
    expect(client.state).toBe('closed');
  });

  test('connect() begins anew after it', async () => {
    const server = await scriptedServer();
    const client = server.client();
    client.subscribe('a');
    await client.close();
    client.connect();
    await until(() => client.isSubscribed('a'));
    expect(client.state).toBe('open');
  });

  test('leaves no timer and no handle: a script ends by itself', async () => {
    const server = await scriptedServer();
    const script = `
      import { create } from '@socketcluster-ts/client';
      const client = create({ hostname: '127.0.0.1', port: ${server.port} });
      client.subscribe('a');
      client.startBatching();
      client.invoke('never', 1, { timeout: 60000 }).catch((error) => console.log(error.name));
      for await (const event of client.channel('a').listener('subscribe')) break;
      await client.close();
      console.log('closed');
    `;
    const child = await run(script);
    expect(child).toEqual({ status: 0, output: 'BadConnectionError\nclosed\n' });
  });
});

/** Runs a module against the sources, in a process of its own, until that ends. */
async function run(script: string): Promise<{ status: number | null; output: string }> {
  // Within the repository, so that imports find their packages.
  const scripts = fileURLToPath(new URL('../../../coverage', import.meta.url));
  mkdirSync(scripts, { recursive: true });
  const folder = mkdtempSync(join(scripts, 'script-'));
  try {
    const entry = join(folder, 'entry.mjs');
    writeFileSync(entry, script);
    await build({
      configFile: false,
      logLevel: 'error',
      resolve: { conditions: ['@socketcluster-ts/source', 'module', 'node'] },
      ssr: {
        noExternal: true,
        external: ['ws'],
        resolve: { conditions: ['@socketcluster-ts/source', 'node'] },
      },
      build: {
        ssr: entry,
        outDir: folder,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'script.mjs' } },
      },
    });
    const child = spawn(process.execPath, [join(folder, 'script.mjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    afterTest(() => child.kill('SIGKILL'));
    const [status] = (await withDeadline(once(child, 'close'), 'the script to end', 10_000)) as [
      number | null,
    ];
    return { status, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
