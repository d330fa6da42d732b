import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterTest, freePort, programPath, turn, withDeadline } from '@socketcluster-ts/testkit';
import { generate } from 'selfsigned';

/** A proxy in a process of its own, which is ended with the test. */
export interface Proxy {
  readonly port: number;
  /** Whether it speaks TLS with its clients. */
  readonly secure: boolean;
}

/** What a test changes in the published configuration. */
export interface ProxyOptions {
  /** After how many seconds of silence a connection is cut. */
  readonly idleSeconds?: number;
}

const FOLDER = new URL('../../examples/proxy/', import.meta.url);
const START_DEADLINE_MS = 15_000;

let certificate: ReturnType<typeof generate> | undefined;

/** Starts nginx with the published configuration: only ports, certificate and, if asked for, the timeout are others. */
export async function startNginx(servers: readonly number[], options: ProxyOptions = {}): Promise<Proxy> {
  const folder = await temporaryFolder();
  const port = await freePort();
  certificate ??= generate([{ name: 'commonName', value: '127.0.0.1' }]);
  const pair = await certificate;
  await writeFile(join(folder, 'cert.pem'), pair.cert);
  await writeFile(join(folder, 'key.pem'), pair.private);
  const site = withOther(await readFile(new URL('nginx.conf', FOLDER), 'utf8'), {
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    '/etc/ssl/example.com.pem': join(folder, 'cert.pem'),
    '/etc/ssl/example.com.key': join(folder, 'key.pem'),
    '  server 127.0.0.1:8000;\n  server 127.0.0.1:8001;': servers
      .map((each) => `  server 127.0.0.1:${each};`)
      .join('\n'),
    'proxy_read_timeout 60s;': `proxy_read_timeout ${options.idleSeconds ?? 60}s;`,
  });
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join('\n');
  const main = join(folder, 'nginx.conf');
  await writeFile(
    main,
    // One process, so that it ends with the one that the test knows.
    `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr;
events {}
http { access_log off; ${places}
${site}
}`,
  );
  await run('nginx', ['-e', 'stderr', '-p', folder, '-c', main], port);
  return { port, secure: true };
}

/** Starts HAProxy with the published configuration: only ports and, if asked for, the timeout are others. */
export async function startHaproxy(servers: readonly number[], options: ProxyOptions = {}): Promise<Proxy> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const config = withOther(await readFile(new URL('haproxy.cfg', FOLDER), 'utf8'), {
    'maxconn 100000': 'maxconn 1000',
    'bind :80\n': `bind 127.0.0.1:${port}\n`,
    '  server one 127.0.0.1:8000\n  server two 127.0.0.1:8001': servers
      .map((each, index) => `  server s${index} 127.0.0.1:${each}`)
      .join('\n'),
    'timeout tunnel 60s': `timeout tunnel ${options.idleSeconds ?? 60}s`,
  });
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, config);
  // -db: in the foreground, one process.
  await run('haproxy', ['-db', '-f', file], port);
  return { port, secure: false };
}

/** Replaces texts that must be there, so that a configuration which has changed is not tested by half. */
function withOther(text: string, replacements: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(replacements)) {
    if (!result.includes(from)) throw new Error(`The configuration has no "${from}"`);
    result = result.replace(from, to);
  }
  return result;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  afterTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a program and resolves when something listens on the port. */
async function run(name: string, args: readonly string[], port: number): Promise<void> {
  const child = spawn(programPath(name), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  afterTest(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const listening = (async () => {
    while (!(await isListening(port))) {
      if (isOver) throw new Error(`${name} ended: ${output}`);
      await turn();
    }
  })();
  await withDeadline(listening, `${name} to listen: ${output}`, START_DEADLINE_MS);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
