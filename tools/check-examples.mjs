/**
 * Every snippet that a reader may copy is right: the ```ts, ```tsx and ```js blocks of the Markdown files (README.md, CONTRIBUTING.md,
 * packages/<name>/README.md, docs/) and of the docstrings of the published packages. Code after `@example` without a fence is TypeScript too.
 *
 * - ts, tsx: type-checked as a module of its own against the built packages, with the settings of the tests. `socketcluster-server` and
 *   `socketcluster-client` mean ours (that is how an application switches).
 * - js: its syntax is checked, as a module or as a script.
 *
 * How snippets are written is told in snippets.mjs; run-examples.mjs runs those of the pages.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesUnder, finish, publicPackages, root, run } from './check.mjs';
import { fromDocstrings, pageSnippets, wholeCode } from './snippets.mjs';
import { parse } from './syntax.mjs';

/** Problems of the JavaScript snippets: what neither a module nor a script may say. */
function checkJavaScript(snippets) {
  return snippets.flatMap(({ file, line, code, epilogue }) => {
    const [asModule, asScript] = ['snippet.mjs', 'snippet.cjs'].map(
      (name) => parse(name, `${code}\n${epilogue}`).errors,
    );
    if (asModule.length === 0 || asScript.length === 0) return [];
    return asModule.map(
      (error) =>
        `${file}:${line + Number(/^line (\d+)/.exec(error)?.[1] ?? 0)}: ${error.replace(/^line \d+: /, '')}`,
    );
  });
}

/** Problems of the TypeScript snippets, each named by its place in the documentation. */
function checkTypeScript(snippets) {
  // Within the repository, so that imports find its packages.
  mkdirSync(join(root, 'coverage'), { recursive: true });
  const folder = mkdtempSync(join(root, 'coverage', 'examples-'));
  try {
    const settings = {
      extends: join(root, 'tsconfig.test.json'),
      compilerOptions: {
        noUnusedLocals: false,
        noUnusedParameters: false,
        paths: {
          'socketcluster-server': [join(root, 'packages/server/src/index.ts')],
          'socketcluster-client': [join(root, 'packages/client/src/index.ts')],
        },
      },
      include: ['.'],
      references: publicPackages().map((each) => ({ path: join(root, each.folder) })),
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const [index, snippet] of snippets.entries()) {
      writeFileSync(
        join(folder, `snippet-${index}.${snippet.language}`),
        `${wholeCode(snippet)}\nexport {};\n`,
      );
    }
    const { ok, output } = run('tsc', ['-p', join(folder, 'tsconfig.json'), '--pretty', 'false']);
    if (ok) return [];
    // A message may go on in indented lines: they stay with their first.
    const messages = output.trim().split(/\r?\n(?! )/);
    return messages.map((line) => {
      const [, path, at, column, rest] = /^(.*snippet-\d+\.tsx?)\((\d+),(\d+)\): (.*)$/s.exec(line) ?? [];
      if (path === undefined) return line;
      const snippet = snippets[Number(/\d+/.exec(basename(path))[0])];
      if (Number(at) === 1) return `${snippet.file}:${snippet.line}: in the prelude: ${rest}`;
      return `${snippet.file}:${snippet.line + Number(at) - 1}:${column}: ${rest}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main() {
  const problems = [];
  const sources = publicPackages().flatMap(({ folder }) =>
    filesUnder(`${folder}/src`, (path) => path.endsWith('.ts')),
  );
  const all = [
    ...pageSnippets(problems),
    ...sources.flatMap((file) => fromDocstrings(file, problems)),
  ].filter(({ language }) => language !== undefined);
  const checked = all.filter(({ ignored }) => !ignored);
  const typescript = checked.filter(({ language }) => language !== 'js');
  const javascript = checked.filter(({ language }) => language === 'js');
  const build = run('tsc', ['-b', '--pretty', 'false']);
  if (!build.ok) return finish([build.output.trim()]);
  if (typescript.length > 0) problems.push(...checkTypeScript(typescript));
  problems.push(...checkJavaScript(javascript));
  finish(
    problems.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    `${typescript.length} TypeScript snippets compile, ${javascript.length} JavaScript snippets parse, ${all.length - checked.length} ignored with a reason`,
  );
}

main();
