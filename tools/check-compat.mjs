/**
 * Every property, event, method and option of the documented AGServer (`test/seed/seed-items.json`) has at least one named test of its
 * behaviour, and `docs/compat.md` says which. The section is
 *
 *     ## Seed items and their tests
 *
 *     | kind | item | test |
 *     | --- | --- | --- |
 *     | property | `exchange` | `exchange` publishes to the clients |
 *     | method | `close()` | `close()` terminates every socket |
 *
 * with kind property, event, method or option; an item's name in backticks (the parentheses of a method may follow it); and the title of a
 * test exactly as it is written in a `test(…)`, `it(…)` or `ours(…)` of `packages/<name>/test` or `test`. A `|` within a title is written `\|`. Several rows for
 * one item are welcome. For a title that is built (a template, `test.each`), the row names one of the titles that come out.
 *
 * The check fails when an item has no row, when a row names no item, or when no test has the title of a row.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, finish, packageFolders, root } from './check.mjs';
import { parse, walk } from './syntax.mjs';

const DOCUMENT = 'docs/compat.md';
const SECTION = 'Seed items and their tests';
const ITEMS = 'test/seed/seed-items.json';

/** How many the documentation lists: an item that is dropped from the list must not go unnoticed. */
const COUNTS = { property: 10, event: 14, method: 14, option: 23 };

/** Fewer fixed letters than these say too little to find a title that is built at run time. */
const MIN_FIXED_LETTERS = 10;

function readItems(problems) {
  const { items } = JSON.parse(readFileSync(join(root, ITEMS), 'utf8'));
  for (const [kind, count] of Object.entries(COUNTS)) {
    const found = new Set(items.filter((each) => each.kind === kind).map((each) => each.item)).size;
    if (found !== count) problems.push(`${ITEMS}: ${found} of kind ${kind}, expected ${count}`);
  }
  return items;
}

/** The rows of the table, `[{ kind, item, test, at }]`. */
function readRows(problems) {
  let text;
  try {
    text = readFileSync(join(root, DOCUMENT), 'utf8');
  } catch {
    problems.push(`${DOCUMENT} is missing`);
    return [];
  }
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex(
    (line) => /^##\s/.test(line) && line.replace(/^##\s+/, '').trim() === SECTION,
  );
  if (start < 0) {
    problems.push(`${DOCUMENT}: the section "## ${SECTION}" is missing`);
    return [];
  }
  const rows = [];
  for (const [offset, line] of lines.slice(start + 1).entries()) {
    if (/^#{1,2}\s/.test(line)) break;
    if (!line.trimStart().startsWith('|')) continue;
    const cells = line
      .trim()
      .replace(/^\||(?<!\\)\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll('\\|', '|'));
    const at = `${DOCUMENT}:${start + offset + 2}`;
    if (cells.every((cell) => /^:?-+:?$/.test(cell)) || cells.join() === 'kind,item,test') continue;
    const [kind, item, test] = cells;
    const name = /^`'?([\w$]+)'?(?:\([^`]*\))?`$/.exec(item ?? '')?.[1];
    if (cells.length !== 3 || name === undefined)
      problems.push(`${at}: not a row "| kind | \`item\` | test |"`);
    else rows.push({ kind, item: name, test, at });
  }
  return rows;
}

/** The titles of all tests: texts as they are, and patterns for those that are built. */
function readTitles(problems) {
  const titles = new Set();
  const patterns = [];
  const folders = [...packageFolders().map((name) => `packages/${name}/test`), 'test'];
  const files = folders.flatMap((folder) => filesUnder(folder, (path) => /\.test\.[cm]?[jt]sx?$/.test(path)));
  for (const file of files) {
    const { program, errors } = parse(file, readFileSync(join(root, file), 'utf8'));
    if (errors.length > 0) problems.push(`${file}: ${errors[0]}`);
    walk(program, (node) => {
      if (node.type !== 'CallExpression' || !isTest(node.callee)) return;
      const [title] = node.arguments;
      if (title?.type === 'Literal' && typeof title.value === 'string') addTitle(title.value);
      else if (title?.type === 'TemplateLiteral')
        addTemplate(title.quasis.map((quasi) => quasi.value.cooked));
    });
  }
  // `test.each` fills in `%s` and `$name`.
  function addTitle(text) {
    titles.add(text);
    const parts = text.split(/%[sdifjoO#$]|\$[\w.]+/);
    if (parts.length > 1) addTemplate(parts);
  }
  function addTemplate(parts) {
    if (parts.length === 1) titles.add(parts[0]);
    else if (parts.join('').replace(/\P{L}/gu, '').length >= MIN_FIXED_LETTERS) {
      patterns.push(
        new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`, 'su'),
      );
    }
  }
  return { has: (title) => titles.has(title) || patterns.some((pattern) => pattern.test(title)) };
}

/** Is the called thing `test`, `it`, `ours` (of the testkit), or one of their forms that run (`test.each(…)`, `it.concurrent`)? */
function isTest(callee) {
  if (callee.type === 'Identifier') return ['test', 'it', 'ours'].includes(callee.name);
  if (callee.type === 'MemberExpression') {
    return (
      !['skip', 'todo', 'fails', 'skipIf', 'runIf'].includes(callee.property.name) && isTest(callee.object)
    );
  }
  if (callee.type === 'CallExpression') return isTest(callee.callee);
  if (callee.type === 'TaggedTemplateExpression') return isTest(callee.tag);
  return false;
}

const key = ({ kind, item }) => `${kind} ${item}`;

function main() {
  const problems = [];
  const items = readItems(problems);
  const rows = readRows(problems);
  const titles = readTitles(problems);
  const known = new Set(items.map(key));
  const covered = new Set();
  for (const row of rows) {
    if (!known.has(key(row))) problems.push(`${row.at}: no such item: ${key(row)}`);
    else if (!titles.has(row.test)) problems.push(`${row.at}: no test is named "${row.test}" (${key(row)})`);
    else covered.add(key(row));
  }
  for (const item of known) {
    if (!covered.has(item)) problems.push(`${DOCUMENT}: no row with an existing test for ${item}`);
  }
  finish(problems, `${known.size} items, ${rows.length} rows, each with its test`);
}

main();
