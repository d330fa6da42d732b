/**
 * The snippets of the documentation: the ```ts, ```tsx and ```js blocks of the pages and of the docstrings.
 *
 * On a page a snippet says what it prints, in a comment behind the `console.log()`. Every page is run, and has to print those lines and no
 * others, in any order; `…` in such a line stands for anything:
 *
 *     console.log(await socket.invoke('greet', 'Ann')); // Hello Ann
 *
 * What a snippet leaves out for the reader's sake stands around it, unseen on the page:
 *
 *     <!-- prelude: import type { AGServer } from '@socketcluster-ts/server'; declare const server: AGServer; -->
 *     (the snippet)
 *     <!-- then: console.log(await use(server)); // ok -->
 *     <!-- prints: a line that comes from elsewhere -->
 *
 * A prelude has no `//` comments: its lines become one. `8000` is a port that is free, in every run another one; `socketcluster-server` and
 * `socketcluster-client` are ours. A word behind the language of the block says what is special about a snippet:
 *
 *     ```ts endless                                   its loop at the top never ends
 *     ```js both                                      it is run with the published socketcluster-client, too
 *     ```ts not-run needs an account                  it is compiled only, and why
 *     ```ts ignore types that are not installed       it is neither compiled nor run, and why
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, packageFolders, root } from './check.mjs';
import { lineAt } from './syntax.mjs';

const LANGUAGES = new Map([
  ['ts', 'ts'],
  ['typescript', 'ts'],
  ['mts', 'ts'],
  ['tsx', 'tsx'],
  ['js', 'js'],
  ['javascript', 'js'],
  ['mjs', 'js'],
  ['cjs', 'js'],
]);

/** What may stand behind the language. */
const WORDS = new Set(['ignore', 'not-run', 'endless', 'both']);

/** The words that need a reason behind them. */
const WITH_REASON = new Set(['ignore', 'not-run']);

/** The snippets of all pages; see {@link markdownSnippets}. */
export function pageSnippets(problems) {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...packageFolders().map((name) => `packages/${name}/README.md`),
    ...filesUnder('docs', (path) => path.endsWith('.md')),
  ].filter((file) => existsSync(join(root, file)));
  return pages.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const at = (index) => `${file}:${index + 1}`;
    return markdownSnippets(text, at, problems).map((each) => ({ ...each, file }));
  });
}

/** A snippet with all that belongs to it. The prelude is one line, so that the lines of the code stay countable. */
export function wholeCode({ prelude, code, epilogue }) {
  return `${prelude.replaceAll(/\s*\n\s*/g, ' ')}\n${code}\n${epilogue}`;
}

/**
 * The snippets of a Markdown text: `[{ language, code, prelude, epilogue, prints, line, ignored, notRun, endless, both }]`, `line` being the line of
 * the text before the code. An unfinished fence, and a word without the reason it needs, are problems.
 */
function markdownSnippets(text, at, problems) {
  const snippets = [];
  let prelude = '';
  let open;
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (open !== undefined) {
      if (line.trim().startsWith(open.mark) && /^[`~]+$/.test(line.trim())) {
        if (open.language !== undefined) snippets.push(complete(open, lines.slice(index + 1)));
        open = undefined;
        prelude = '';
      } else {
        open.lines.push(line);
      }
      continue;
    }
    const fence = /^(\s*)(`{3,}|~{3,})\s*([^\s`{]*)\s*([^`]*)$/.exec(line);
    if (fence !== null) {
      const [, indent, mark, label, info] = fence;
      const language = LANGUAGES.get(label.toLowerCase());
      const [word, ...reason] = info.trim().split(/\s+/);
      if (language !== undefined && word !== '' && !WORDS.has(word))
        problems.push(`${at(index)}: "${word}" is none of ${[...WORDS].join(', ')}`);
      if (WITH_REASON.has(word) && reason.length === 0)
        problems.push(`${at(index)}: "${word}" needs a reason: \`\`\`${label} ${word} <why>`);
      open = { mark, indent: indent.length, language, word, prelude, line: index + 1, lines: [] };
    }
    prelude = hidden('prelude', lines.slice(index)) ?? prelude;
  }
  if (open !== undefined) problems.push(`${at(open.line - 1)}: the code block is never closed`);
  return snippets;
}

function complete({ language, word, prelude, line, lines, indent }, linesAfter) {
  const code = lines.map((each) => each.slice(Math.min(indent, each.search(/\S|$/)))).join('\n');
  let rest = linesAfter;
  const take = (name) => {
    const start = rest.findIndex((each) => each.trim() !== '');
    const value = start < 0 ? undefined : hidden(name, rest.slice(start));
    if (value !== undefined)
      rest = rest.slice(rest.findIndex((each, at) => at >= start && each.includes('-->')) + 1);
    return value ?? '';
  };
  const epilogue = take('then');
  const printed = take('prints')
    .split('\n')
    .map((each) => each.trim());
  const commented = `${code}\n${epilogue}`
    .split('\n')
    .map((each) => /console\.log\(.*[;}] \/\/ (.*)$/.exec(each)?.[1]);
  const prints = [...commented, ...printed].filter((each) => each !== undefined && each !== '');
  const [ignored, notRun, endless, both] = ['ignore', 'not-run', 'endless', 'both'].map(
    (each) => each === word,
  );
  return { language, code, prelude, epilogue, prints, line, ignored, notRun, endless, both };
}

/** What an HTML comment that begins in the first of the lines says, if it has that name. */
function hidden(name, lines) {
  if (!new RegExp(`^\\s*<!--\\s*${name}:`).test(lines[0])) return undefined;
  return new RegExp(`<!--\\s*${name}:([\\s\\S]*?)-->`).exec(lines.join('\n'))?.[1]?.trim();
}

/** The snippets of the docstrings of a source file: its fenced blocks, and the bare code after `@example`. */
export function fromDocstrings(file, problems) {
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
    snippets.push({
      language: 'ts',
      code: body.join('\n'),
      prelude: '',
      epilogue: '',
      line: index + 1,
      ignored: false,
    });
  }
  return snippets;
}
