/**
 * The client is what a browser application gets of it:
 *
 * - minified and gzipped, with all of core and streams that it uses, it has at most `LIMIT_BYTES`, and is told beside `AIM_BYTES`, which is not reached yet;
 * - the React hooks make it at most `HOOKS_BYTES` larger, React itself not counted;
 * - esbuild, Rolldown, Vite and webpack build it from the built packages, without a setting of their own for it;
 * - no bundle holds a part of `ws` or of Node.js, and each one connects: it runs in a world that has what pages have, and opens a native
 *   WebSocket to the address of the page.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { rolldown } from 'rolldown';
import { build as viteBuild } from 'vite';
import webpack from 'webpack';
import { finish, root, run } from './check.mjs';

/** What is wanted. */
const AIM_BYTES = 12_000;

/** What is tolerated until then: only what applications of `socketcluster-client` rely on may raise it. */
const LIMIT_BYTES = 18_000;

/** What the hooks may add. */
const HOOKS_BYTES = 1500;

/** What an application writes. */
const ENTRY = `import * as client from '@socketcluster-ts/client';\nglobalThis.client = client;\n`;

/** The same, with React. */
const HOOKS_ENTRY = `${ENTRY}import * as hooks from '@socketcluster-ts/client/react';\nglobalThis.hooks = hooks;\n`;

/** Texts of \`ws\` and of the Node.js modules it uses. */
const FOREIGN =
  /sec-websocket|permessage-deflate|node:|require\(["'](?:ws|net|tls|http|crypto|stream)["']\)/i;

const problems = [];
// Within the repository, so that imports find its packages.
mkdirSync(join(root, 'coverage'), { recursive: true });
const folder = mkdtempSync(join(root, 'coverage', 'bundle-'));
const entry = join(folder, 'entry.js');
const hooksEntry = join(folder, 'hooks.js');
const onlyOutput = ([output]) => output.code;

async function buildWithRolldown(input) {
  const bundle = await rolldown({ input, platform: 'browser', external: ['react'], logLevel: 'silent' });
  return onlyOutput((await bundle.generate({ format: 'esm', minify: true })).output);
}

const bundlers = {
  Rolldown: () => buildWithRolldown(entry),
  async esbuild() {
    const options = {
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
    };
    return (await esbuild.build({ ...options, entryPoints: [entry], logLevel: 'silent' })).outputFiles[0]
      .text;
  },
  async Vite() {
    const output = await viteBuild({
      configFile: false,
      logLevel: 'silent',
      build: { write: false, modulePreload: false, rolldownOptions: { input: entry } },
    });
    return onlyOutput([output].flat()[0].output);
  },
  async webpack() {
    const compiler = webpack({
      mode: 'production',
      target: 'web',
      entry,
      output: { path: folder, filename: 'webpack.js' },
    });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
    return readFileSync(join(folder, 'webpack.js'), 'utf8');
  },
};

/** Runs a bundle as a page would, and gives the addresses it connected to. */
function connectAsPage(code) {
  const addresses = [];
  class WebSocket extends EventTarget {
    readyState = 0;
    constructor(address) {
      super();
      addresses.push(address);
    }
    close() {}
  }
  const page = {
    WebSocket,
    setTimeout: () => 1,
    clearTimeout() {},
    queueMicrotask,
    AbortController,
    TextEncoder,
    TextDecoder,
    URLSearchParams,
  };
  const location = { protocol: 'https:', hostname: 'example.com', port: '' };
  createContext(Object.assign(page, { location, console }));
  runInContext(`(async () => {${code}\n})().catch((error) => { globalThis.failure = error; });`, page);
  if (page.failure !== undefined) throw page.failure;
  page.client.create();
  return addresses;
}

async function check(name) {
  let code;
  try {
    code = await bundlers[name]();
    const [, foreign] = /(.{0,40})/.exec(FOREIGN.exec(code)?.[0] ?? '') ?? [];
    if (foreign) problems.push(`${name}: the bundle holds what is no part of the client: ${foreign}`);
    const addresses = connectAsPage(code);
    if (addresses.join() !== 'wss://example.com/socketcluster/')
      problems.push(`${name}: the bundle connects to ${addresses.join() || 'nothing'}`);
  } catch (error) {
    problems.push(`${name}: ${error.message}`);
  }
  return code === undefined ? 0 : bytesOf(code);
}

function bytesOf(code) {
  return gzipSync(code, { level: 9 }).length;
}

const sizes = {};
let hooksBytes = 0;
try {
  const built = run('tsc', ['-b', '--pretty', 'false']);
  if (built.ok) {
    writeFileSync(entry, ENTRY);
    for (const name of Object.keys(bundlers)) sizes[name] = await check(name);
    writeFileSync(hooksEntry, HOOKS_ENTRY);
    hooksBytes = bytesOf(await buildWithRolldown(hooksEntry)) - sizes.Rolldown;
  } else problems.push(built.output.trim());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (sizes.Rolldown > LIMIT_BYTES)
  problems.push(
    `The client has ${sizes.Rolldown} bytes, minified by Rolldown and gzipped; allowed are ${LIMIT_BYTES}`,
  );
if (hooksBytes > HOOKS_BYTES)
  problems.push(`The React hooks add ${hooksBytes} bytes to the client; allowed are ${HOOKS_BYTES}`);
const list = Object.entries(sizes).map(([name, bytes]) => `${name} ${bytes}`);
finish(
  problems,
  `the client in bytes, minified and gzipped: ${list.join(', ')} (tolerated ${LIMIT_BYTES}, wanted ${AIM_BYTES}); the React hooks add ${hooksBytes} (at most ${HOOKS_BYTES})`,
);
