/**
 * `npm test`: everything that must hold, one step after the other, until the first that fails.
 *
 *     npm test                       all steps
 *     npm test -- lint types         only these, in the order of the list below
 *     npm test -- --verbose node     shows the output of a step while it runs, not only when it fails
 *
 * Each step prints one line with its time. The last line is always `N passed, M failed`: every test counts as one, and so does every
 * step that is not a test run. Nothing is skipped silently: a test that a pairing leaves out is listed with its reason, and every other
 * skipped or unfinished test is a failure.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, root } from './check.mjs';

/** No step may take longer than this; the whole run takes a fraction of it. */
const STEP_TIMEOUT_MS = 600_000;

/** In the order in which they run: the build comes first, because typed lint rules read the declarations that it writes. */
const steps = [
  {
    name: 'environment',
    says: 'Node.js, Chromium and the servers of the tests are there',
    commands: ['node tools/check-environment.mjs'],
  },
  {
    name: 'format',
    says: 'biome',
    commands: [`biome ci --colors=${process.stdout.isTTY ? 'force' : 'off'} --max-diagnostics=100 .`],
  },
  {
    name: 'types',
    says: 'tsc: build, then the types of the tests',
    commands: ['tsc -b', 'tsc -p tsconfig.test.json'],
  },
  {
    name: 'lint',
    says: 'oxlint, and each of its rules reports',
    commands: [
      'oxlint --type-aware --deny-warnings --report-unused-disable-directives',
      'node tools/check-lint-rules.mjs',
    ],
  },
  {
    name: 'map',
    says: 'docs/architecture.md names every source file',
    commands: ['node tools/check-map.mjs'],
  },
  {
    name: 'links',
    says: 'links of the documents, and tests of what is promised',
    commands: ['node tools/check-links.mjs'],
  },
  {
    name: 'examples',
    says: 'every snippet of the documentation compiles and runs',
    commands: ['node tools/check-examples.mjs', 'node tools/run-examples.mjs'],
  },
  {
    name: 'compat',
    says: 'every documented upstream item has a test',
    commands: ['node tools/check-compat.mjs'],
  },
  // They wait more than they work: more of them at a time than there are cores.
  { name: 'node', says: 'tests in Node.js', projects: ['node'], workers: 3 },
  {
    name: 'pairings',
    says: 'our client and server, with each other and the published ones',
    projects: ['pairing-ours-ours', 'pairing-ours-upstream', 'pairing-upstream-ours'],
  },
  {
    name: 'published',
    says: 'the tests of the published packages, against ours',
    projects: ['published'],
    // They wait most of the time.
    workers: 4,
  },
  { name: 'hostile', says: 'clients that mean harm, against a server process', projects: ['hostile'] },
  { name: 'browser', says: 'tests in Chromium', projects: ['browser'] },
  {
    name: 'faults',
    says: 'a load under faults, each with the verdict of the delivery checker',
    projects: ['faults'],
    // They wait most of the time.
    workers: 6,
  },
  { name: 'bench', says: 'the benchmark runs, and its checker finds faults', projects: ['bench'] },
  {
    name: 'bundle',
    says: 'the client for browsers: its size, and four bundlers',
    commands: ['node tools/check-bundle.mjs'],
  },
  { name: 'api-docs', says: 'the API reference', commands: ['npm run --silent docs'] },
  { name: 'packages', says: 'the packed packages, installed', commands: ['node tools/check-packages.mjs'] },
];

/** Runs one command line and gives `{ ok, output }`. */
function execute(commandLine, verbose) {
  const { promise, resolve } = withResolvers();
  // A process group of its own, so that a step that hangs ends with all that it has started.
  const child = spawn(commandLine, {
    cwd: root,
    env: environment,
    shell: true,
    detached: process.platform !== 'win32',
  });
  let output = '';
  const take = (chunk) => {
    output += chunk;
    if (verbose) process.stdout.write(chunk);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const end = () => {
    const { pid } = child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const timer = setTimeout(() => {
    take(`\n${commandLine}: stopped after ${STEP_TIMEOUT_MS / 1000} s\n`);
    end();
  }, STEP_TIMEOUT_MS);
  const interrupted = () => {
    end();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  child.on('error', (error) => take(`${commandLine}: ${error.message}\n`));
  child.on('close', (code) => {
    clearTimeout(timer);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    resolve({ ok: code === 0, output });
  });
  return promise;
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Runs the commands of a step until one fails; the step counts as one. */
async function runCommands({ commands }, verbose) {
  for (const command of commands) {
    const { ok, output } = await execute(command, verbose);
    if (!ok) return { passed: 0, failed: 1, output: `$ ${command}\n${output}` };
  }
  return { passed: 1, failed: 0, output: '' };
}

/** Tells how many tests the pairings left out for which reason; the reasons come from `leaveOutWith()`. */
function listLeftOut(tests) {
  const counts = new Map();
  for (const { meta } of tests) counts.set(meta.leftOut, (counts.get(meta.leftOut) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `  left out ${count} × with ${reason}\n`).join('');
}

/** Runs vitest projects together; each of their tests counts as one. */
async function runProjects({ projects, workers }, verbose) {
  const folder = mkdtempSync(join(tmpdir(), 'test-report-'));
  try {
    const report = join(folder, 'report.json');
    const selection = projects.map((project) => `--project ${project}`).join(' ');
    const parallel = workers === undefined ? '' : ` --maxWorkers=${workers}`;
    const command = `vitest run ${selection}${parallel} --reporter=${verbose ? 'verbose' : 'default'} --reporter=json --outputFile.json="${report}"`;
    const { ok, output } = await execute(command, verbose);
    let result;
    try {
      result = JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      return { passed: 0, failed: 1, output: `$ ${command}\n${output}` };
    }
    const passed = result.numPassedTests;
    const tests = result.testResults.flatMap((file) => file.assertionResults);
    const leftOut = tests.filter((test) => test.status === 'skipped' && test.meta?.leftOut !== undefined);
    const skipped = result.numTotalTests - passed - result.numFailedTests - leftOut.length;
    let failed = result.numFailedTests + skipped;
    // A file that cannot be loaded, an error outside every test, no test at all: failures without a failed test.
    if (failed === 0 && (!ok || passed === 0)) failed = 1;
    const note =
      skipped > 0
        ? `\n${skipped} tests were skipped or left as todo: nothing may be skipped silently.\n`
        : '';
    return { passed, failed, leftOut: listLeftOut(leftOut), output: `$ ${command}\n${output}${note}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args) {
  const verbose = args.includes('--verbose');
  const names = args.filter((arg) => arg !== '--verbose');
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(
      `Unknown: ${unknown.join(', ')}. The steps are: ${steps.map((step) => step.name).join(', ')}.`,
    );
    return { passed: 0, failed: unknown.length };
  }
  const chosen = steps.filter((step) => names.length === 0 || names.includes(step.name));
  const total = { passed: 0, failed: 0 };
  const begun = performance.now();
  for (const step of chosen) {
    process.stdout.write(`${step.name.padEnd(12)} ${step.says} …${verbose ? '\n' : ' '}`);
    const start = performance.now();
    const run = step.projects === undefined ? runCommands : runProjects;
    const { passed, failed, leftOut = '', output } = await run(step, verbose);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const tests = step.projects === undefined ? '' : `${passed} tests, `;
    total.passed += passed;
    total.failed += failed;
    if (failed > 0) {
      console.log(`FAILED (${seconds} s)\n`);
      if (!verbose) console.log(output);
      const left = chosen.slice(chosen.indexOf(step) + 1).map(({ name }) => name);
      console.log(`${step.name} failed. Again alone: npm test -- ${step.name}`);
      if (left.length > 0) console.log(`Not run: ${left.join(', ')}`);
      return total;
    }
    console.log(`ok (${tests}${seconds} s)`);
    process.stdout.write(leftOut);
  }
  console.log(`everything ran, in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return total;
}

const { passed, failed } = await main(process.argv.slice(2));
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);
