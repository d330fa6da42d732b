/**
 * Every snippet that a reader may copy is right: the ```ts and ```js blocks of the Markdown files (README.md, CONTRIBUTING.md,
 * packages/<name>/README.md, docs/) and of the docstrings of the published packages. Code after `@example` without a fence is TypeScript too.
 *
 * - ts: type-checked as a module of its own against the built packages, with the settings of the tests. `socketcluster-server`
 *   means ours (that is how an application switches); `socketcluster-client` is untyped.
 * - js: its syntax is checked, as a module or as a script.
 *
 * What a snippet leaves out for the reader's sake stands before it, unseen on the page:
 *
 *     <!-- prelude: import type { AGServer } from '@socketcluster-ts/server'; declare const server: AGServer; -->
 *
 * (for the next snippet only; without `//` comments: its lines become one).
 *
 * A snippet that cannot compile says why: ```ts ignore the types of version 1, no longer installed
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesUnder, finish, packageFolders, publicPackages, root, run } from './check.mjs';
import { lineAt, parse } from './syntax.mjs';

const LANGUAGES = new Map([
  ['ts', 'ts'],
  ['typescript', 'ts'],
  ['mts', 'ts'],
  ['js', 'js'],
  ['javascript', 'js'],
  ['mjs', 'js'],
  ['cjs', 'js'],
]);

/**
 * The snippets of a Markdown text: `[{ language, code, prelude, line, ignored }]`, `line` being the line of the text before the code. An
 * unfinished fence, and `ignore` without a reason, are problems.
 */
function markdownSnippets(text, at, problems) {
  const snippets = [];
  let prelude = '';
  let open;
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (open !== undefined) {
      if (line.trim().startsWith(open.mark) && /^[`~]+$/.test(line.trim())) {
        if (open.language !== undefined) snippets.push({ ...open, code: unindent(open.code, open.indent) });
        open = undefined;
        prelude = '';
      } else {
        open.code.push(line);
      }
      continue;
    }
    const fence = /^(\s*)(`{3,}|~{3,})\s*([^\s`{]*)\s*([^`]*)$/.exec(line);
    if (fence !== null) {
      const [, indent, mark, label, info] = fence;
      const language = LANGUAGES.get(label.toLowerCase());
      const [ignore, ...reason] = info.trim().split(/\s+/);
      const ignored = ignore === 'ignore';
      if (ignored && reason.length === 0)
        problems.push(`${at(index)}: "ignore" needs a reason: \`\`\`${label} ignore <why>`);
      open = { mark, indent: indent.length, language, ignored, prelude, line: index + 1, code: [] };
    }
    const comment = /^\s*<!--\s*prelude:/.test(line) ? lines.slice(index).join('\n') : '';
    if (comment !== '') prelude = /<!--\s*prelude:([\s\S]*?)-->/.exec(comment)?.[1]?.trim() ?? '';
  }
  if (open !== undefined) problems.push(`${at(open.line - 1)}: the code block is never closed`);
  return snippets;
}

function unindent(lines, indent) {
  return lines.map((line) => line.slice(Math.min(indent, line.search(/\S|$/)))).join('\n');
}

function fromMarkdown(file, problems) {
  const text = readFileSync(join(root, file), 'utf8');
  return markdownSnippets(text, (index) => `${file}:${index + 1}`, problems).map((each) => ({
    ...each,
    file,
  }));
}

/** The snippets of the docstrings of a source file: its fenced blocks, and the bare code after `@example`. */
function fromDocstrings(file, problems) {
  const text = readFileSync(join(root, file), 'utf8');
  const snippets = [];
  for (const match of text.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)) {
    const above = lineAt(text, match.index) - 1;
    const lines = match[0].split(/\r?\n/).map((line) =>
      line
        .replace(/^\s*\/\*\*\s?/, '')
        .replace(/\s*\*\/$/, '')
        .replace(/^\s*\*(?: |$)/, ''),
    );
    const at = (index) => `${file}:${above + index + 1}`;
    const found = [...markdownSnippets(lines.join('\n'), at, problems), ...bareExamples(lines)];
    snippets.push(...found.map((each) => ({ ...each, file, line: each.line + above })));
  }
  return snippets;
}

/** The code after an `@example` that has no fence. */
function bareExamples(lines) {
  const snippets = [];
  for (const [index, line] of lines.entries()) {
    if (!/^\s*@example\b/.test(line)) continue;
    const next = lines.findIndex((each, at) => at > index && /^\s*@\w+/.test(each));
    const body = lines.slice(index + 1, next < 0 ? undefined : next);
    if (body.some((each) => /^\s*(?:`{3}|~{3})/.test(each)) || body.every((each) => each.trim() === ''))
      continue;
    snippets.push({ language: 'ts', code: body.join('\n'), prelude: '', line: index + 1, ignored: false });
  }
  return snippets;
}

/** Problems of the JavaScript snippets: what neither a module nor a script may say. */
function checkJavaScript(snippets) {
  return snippets.flatMap(({ file, line, code }) => {
    const [asModule, asScript] = ['snippet.mjs', 'snippet.cjs'].map((name) => parse(name, code).errors);
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
        paths: { 'socketcluster-server': [join(root, 'packages/server/src/index.ts')] },
      },
      include: ['.'],
      references: publicPackages().map((each) => ({ path: join(root, each.folder) })),
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'untyped.d.ts'), "declare module 'socketcluster-client';\n");
    for (const [index, { prelude, code }] of snippets.entries()) {
      // The prelude is one line, so that the lines of the code stay countable.
      const before = prelude.replaceAll(/\s*\n\s*/g, ' ');
      writeFileSync(join(folder, `snippet-${index}.ts`), `${before}\n${code}\nexport {};\n`);
    }
    const { ok, output } = run('tsc', ['-p', join(folder, 'tsconfig.json'), '--pretty', 'false']);
    if (ok) return [];
    // A message may go on in indented lines: they stay with their first.
    const messages = output.trim().split(/\r?\n(?! )/);
    return messages.map((line) => {
      const [, path, at, column, rest] = /^(.*snippet-\d+\.ts)\((\d+),(\d+)\): (.*)$/s.exec(line) ?? [];
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
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...packageFolders().map((name) => `packages/${name}/README.md`),
    ...filesUnder('docs', (path) => path.endsWith('.md')),
  ].filter((file) => existsSync(join(root, file)));
  const sources = publicPackages().flatMap(({ folder }) =>
    filesUnder(`${folder}/src`, (path) => path.endsWith('.ts')),
  );
  const all = [
    ...pages.flatMap((file) => fromMarkdown(file, problems)),
    ...sources.flatMap((file) => fromDocstrings(file, problems)),
  ].filter(({ language }) => language !== undefined);
  const checked = all.filter(({ ignored }) => !ignored);
  const typescript = checked.filter(({ language }) => language === 'ts');
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
