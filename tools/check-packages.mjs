/**
 * The packages are right as they will be published. Each public package is packed; then
 *
 * - the tarball holds what it should and nothing else; its manifest passes publint, its types pass attw;
 * - all tarballs are installed together in a fresh folder, where nothing of ours may come from the registry;
 * - `tools/consumer/same-objects.mjs`: `import` and `require` give the same objects, and the server serves;
 * - `tools/consumer/consumer.{ts,cts}`: an application's code compiles with strict settings, library files included.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesUnder, finish, publicPackages, root, run } from './check.mjs';

/** What may be in a tarball. */
const WANTED = /^(?:package\.json|README\.md|LICENSE|(?:dist|src)\/.*\.(?:ts|js|map))$/;

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const published = publicPackages();
const problems = [];
const work = mkdtempSync(join(tmpdir(), 'packages-'));

/** Runs a program that must succeed; its output becomes the problem if it does not. */
function must(what, command, args, options) {
  const { ok, output } = run(command, args, options);
  if (!ok) problems.push(`${what}:\n${output.trim()}`);
  return ok ? output : undefined;
}

/** Removes what the compiler has left in `dist` of sources that are gone, so that it is not published. */
function removeStaleOutput(folder) {
  for (const file of distFiles(folder)) {
    const source = file.replace('/dist/', '/src/').replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, '.ts');
    if (/\.(?:ts|js|map)$/.test(file) && !existsSync(join(root, source))) rmSync(join(root, file));
  }
}

function distFiles(folder) {
  return filesUnder(`${folder}/dist`, () => true);
}

/** Packs one package, checks it, and gives the tarball's path. */
function pack({ folder, manifest }) {
  removeStaleOutput(folder);
  const cwd = join(root, folder);
  const json = must(
    `${manifest.name}: npm pack`,
    'npm',
    ['pack', '--json', '--silent', '--pack-destination', work],
    { cwd },
  );
  if (json === undefined) return undefined;
  const [{ filename, files }] = JSON.parse(json);
  const paths = files.map(({ path }) => path);
  for (const path of paths.filter((each) => !WANTED.test(each)))
    problems.push(`${manifest.name}: ${path} must not be published`);
  for (const path of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']) {
    if (!paths.includes(path)) problems.push(`${manifest.name}: ${path} is missing in the tarball`);
  }
  const tarball = join(work, filename);
  must(`${manifest.name}: publint`, 'publint', ['--strict', join(root, folder)]);
  must(`${manifest.name}: attw`, 'attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']);
  return tarball;
}

/** Installs the tarballs in a fresh application. */
function install(tarballs) {
  const version = (name) => readJson(join(root, 'node_modules', name, 'package.json')).version;
  const application = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(tarballs.map(({ name, tarball }) => [name, `file:${tarball}`])),
    devDependencies: {
      '@types/node': version('@types/node'),
      react: version('react'),
      '@types/react': version('@types/react'),
    },
  };
  writeFileSync(join(work, 'package.json'), JSON.stringify(application));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  if (must('npm install of the tarballs', 'npm', args, { cwd: work }) === undefined) return false;
  const { packages } = readJson(join(work, 'package-lock.json'));
  for (const [path, { resolved }] of Object.entries(packages)) {
    if (path.includes('node_modules/@socketcluster-ts/') && resolved?.startsWith('file:') !== true) {
      problems.push(`${path} was not installed from its tarball: ${resolved}`);
    }
  }
  return true;
}

function tryOut() {
  for (const file of ['same-objects.mjs', 'consumer.ts', 'consumer.cts']) {
    cpSync(join(root, 'tools/consumer', file), join(work, file));
  }
  must('import and require', process.execPath, ['same-objects.mjs'], { cwd: work });
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(
    join(work, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['consumer.ts', 'consumer.cts'] }),
  );
  must('types of an application', 'tsc', ['-p', work, '--pretty', 'false']);
}

try {
  if (must('build', 'tsc', ['-b', ...published.map(({ folder }) => folder)]) !== undefined) {
    const tarballs = published.map((each) => ({ name: each.manifest.name, tarball: pack(each) }));
    if (tarballs.every(({ tarball }) => tarball !== undefined) && install(tarballs)) tryOut();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
finish(problems, `${published.length} packages: manifests, types, import, require and a typed application`);
