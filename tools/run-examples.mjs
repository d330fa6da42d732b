/**
 * Every snippet of the pages does what it says: each is run by itself, in a process of its own, against the built packages, and has to print
 * the lines that the page says, and no others. snippets.mjs tells how they are written.
 *
 *     node tools/run-examples.mjs                    all pages
 *     node tools/run-examples.mjs docs/client.md     one, or several
 *
 * A snippet that ends before its lines are printed, fails, or does not get there in time is a problem, and so is one that prints nothing:
 * nobody would notice when it stops working. Only what consists of types has nothing to run.
 */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { finish, root, run } from './check.mjs';
import { pageSnippets, wholeCode } from './snippets.mjs';

/** No snippet needs a second; a busy machine may. */
const DEADLINE_MS = 20_000;

/** How much of what a snippet says is shown when it fails. */
const MAX_SHOWN = 2000;

/** Runs the file that it is given, and says so when that is done. */
const RUNNER =
  "import { pathToFileURL } from 'node:url';\nawait import(pathToFileURL(process.argv[2]));\nprocess.send('done');\n";

/** The port that was given last. The system gives those of 32768 and above to whoever connects, so others are taken. */
let lastPort = 20_000 + Math.floor(Math.random() * 10_000);

/** A port that is free, and that no other snippet of this run gets. */
async function freePort() {
  for (;;) {
    const port = ++lastPort;
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(port, () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** The JavaScript of a snippet, with a port of its own, or undefined when there is nothing but types in it. */
async function toJavaScript(snippet) {
  const typed = wholeCode(snippet).replaceAll(/\b8000\b/g, String(await freePort()));
  const loader = snippet.language === 'tsx' ? 'tsx' : 'ts';
  const { code } = await transform(typed, { loader, jsx: 'automatic', target: 'node20' });
  return code.replaceAll(/^export \{\s*\};$/gm, '').trim() === '' ? undefined : code;
}

/** Runs one file; gives what is wrong, or undefined. */
function runFile(file, { prints, endless }, folder) {
  const child = fork(join(folder, 'run.mjs'), [file], { cwd: folder, silent: true, execArgv: [] });
  return new Promise((resolve) => {
    let out = '';
    let errors = '';
    let isDone = endless;
    let problem;
    // What stands behind the last line break is not a whole line yet.
    const lines = () =>
      out
        .split('\n')
        .slice(0, -1)
        .filter((line) => line !== '');
    const end = (why) => {
      problem ??= why;
      child.kill('SIGKILL');
    };
    const look = () => {
      if (isDone && lines().length >= prints.length) end();
    };
    const timer = setTimeout(() => end(`it did not get there within ${DEADLINE_MS / 1000} s`), DEADLINE_MS);
    child.on('message', () => {
      isDone = true;
      look();
    });
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      out += chunk;
      look();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
    child.on('error', (error) => (problem ??= error.message));
    child.on('close', (code) => {
      clearTimeout(timer);
      // One that was ended here has no code.
      if (code !== null && code !== 0) problem ??= `it ended with code ${code}`;
      problem ??= difference(lines(), prints);
      resolve(problem === undefined ? undefined : report(problem, prints, out, errors));
    });
  });
}

/** What is printed and not announced, or announced and not printed. */
function difference(printed, announced) {
  const left = [...announced];
  for (const line of printed) {
    const index = left.findIndex((each) => fits(line, each));
    if (index < 0) return `it prints what it does not say: ${line}`;
    left.splice(index, 1);
  }
  return left.length > 0 ? `it does not print: ${left.join(' | ')}` : undefined;
}

function fits(line, announced) {
  const parts = announced.split('…').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(line);
}

function report(problem, prints, out, errors) {
  const shown = [out && `printed:\n${out}`, errors && `errors:\n${errors}`].filter(Boolean).join('\n');
  return `${problem}\n  announced: ${prints.join(' | ')}\n${shown.slice(0, MAX_SHOWN).replaceAll(/^/gm, '  ')}`;
}

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, target), path, 'junction');
}

async function runSnippet(snippet, index, folder) {
  const at = `${snippet.file}:${snippet.line}`;
  const source = await toJavaScript(snippet);
  if (source === undefined) return 'nothing';
  if (snippet.prints.length === 0)
    return { problem: `${at}: it does not say what it prints, so nobody would notice when it stops working` };
  // `require()` is for scripts.
  const isScript = snippet.language === 'js' && /\brequire\(/.test(source) && !/^import /m.test(source);
  for (const place of snippet.both ? ['.', 'published'] : ['.']) {
    const file = join(folder, place, `snippet-${index}.${isScript ? 'cjs' : 'mjs'}`);
    writeFileSync(file, source);
    const problem = await runFile(file, snippet, folder);
    if (problem !== undefined) return { problem: `${at}: ${place === '.' ? '' : `${place}: `}${problem}` };
  }
  return 'passed';
}

async function main(pages) {
  const problems = [];
  const all = pageSnippets(problems).filter(({ file }) => pages.length === 0 || pages.includes(file));
  const snippets = all.filter(({ ignored, notRun }) => !ignored && !notRun);
  if (all.length === 0) return finish([`No snippet in ${pages.join(', ')}`]);
  const build = run('tsc', ['-b', '--pretty', 'false']);
  if (!build.ok) return finish([build.output.trim()]);
  // Within the repository, so that imports find its packages.
  mkdirSync(join(root, 'coverage'), { recursive: true });
  const folder = mkdtempSync(join(root, 'coverage', 'run-examples-'));
  try {
    // As an application that has switched has them, and, for the client, as one that has not.
    link('packages/server', join(folder, 'node_modules/socketcluster-server'));
    link('packages/client', join(folder, 'node_modules/socketcluster-client'));
    link('node_modules/socketcluster-client', join(folder, 'published/node_modules/socketcluster-client'));
    writeFileSync(join(folder, 'run.mjs'), RUNNER);
    const results = [];
    const queue = [...snippets.entries()];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        results.push(await runSnippet(next[1], next[0], folder));
    };
    await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
    problems.push(...results.flatMap(({ problem }) => problem ?? []));
    const count = (result) => results.filter((each) => each === result).length;
    finish(
      problems.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })),
      `${count('passed')} snippets run and print what they say, ${count('nothing')} are types, ${all.length - snippets.length} are not run, with a reason`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));
