import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@socketcluster-ts/testkit/free-port';

const CONFIG = new URL('../../examples/proxy/haproxy.cfg', import.meta.url);
const PATHS = ['/usr/sbin/haproxy', '/usr/bin/haproxy', '/usr/local/sbin/haproxy'];

/**
 * Starts HAProxy as `examples/proxy` has it, before the servers on these ports; gives its port and a function that ends it.
 * @param {number[]} servers
 */
export async function startHaproxy(servers) {
  const program = [process.env.HAPROXY, ...PATHS].find(
    (path) => path && spawnSync(path, ['-v']).status === 0,
  );
  if (program === undefined)
    throw new Error('HAProxy is needed: node tools/check-environment.mjs installs it');
  const folder = mkdtempSync(join(tmpdir(), 'bench-haproxy-'));
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const lines = servers.map((each, index) => `  server s${index} 127.0.0.1:${each}`);
  const config = readFileSync(CONFIG, 'utf8')
    .replace('maxconn 100000', 'maxconn 8000')
    .replace('bind :80\n', `bind 127.0.0.1:${port}\n`)
    .replace(/( {2}server .*\n?)+$/, `${lines.join('\n')}\n`);
  writeFileSync(file, config);
  const child = spawn(program, ['-db', '-f', file], { stdio: 'ignore' });
  for (let tries = 0; !(await isListening(port)); tries += 1) {
    if (child.exitCode !== null || tries > 500) throw new Error('HAProxy did not start');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isListening(port) {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
