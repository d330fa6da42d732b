/**
 * The links of the documents lead somewhere, and every promise says how it is tested.
 *
 * Links: on each page, a link or image that is no address of the web names a file or folder of the repository, and what stands behind a `#` a
 * heading of that page.
 *
 * Promises: in the section "What is promised" of `docs/hardening.md` each row of a table has links to test files in its last cell, and to nothing
 * else.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesUnder, finish, packageFolders, root } from './check.mjs';

const HARDENING = 'docs/hardening.md';
const SECTION = 'What is promised';
/** Fewer promises than these, and the table was not understood. */
const MIN_PROMISES = 15;

const PAGES = [
  ...filesUnder('.', (path) => /^[^/]+\.md$/.test(path)),
  ...packageFolders().map((name) => `packages/${name}/README.md`),
  ...filesUnder('docs', (path) => path.endsWith('.md')),
  ...filesUnder('examples', (path) => path.endsWith('.md')),
].filter((page) => existsSync(join(root, page)));

/** As many spaces and lines as `code` has. */
function blank(code) {
  return code.replace(/[^\n]/g, ' ');
}

/** A page without its code, in which nothing is a link; the lines stay where they are. */
function prose(page) {
  const text = readFileSync(join(root, page), 'utf8');
  return text
    .replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\2[ \t]*$/gm, blank)
    .replace(/<!--[\s\S]*?-->/g, blank)
    .replace(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, (code) => (/\]\(/.test(code) ? blank(code) : code));
}

/** The links of a text: `[{ target, index }]`. */
function linksOf(text) {
  const found = [];
  for (const match of text.matchAll(
    /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|(?:src|srcset|href)="([^"\s]+)"/g,
  )) {
    found.push({ target: match[1] ?? match[2], index: match.index });
  }
  return found;
}

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page) {
  const counts = new Map();
  const anchors = new Set();
  for (const [, heading] of prose(page).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** What is wrong with a link of a page, `undefined` if nothing is. */
function faultOf(page, target) {
  if (/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(target)) return undefined;
  const [path, anchor] = target.split('#');
  const file =
    path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path))).replaceAll('\\', '/');
  if (!existsSync(join(root, file))) return 'there is no such file';
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md') || statSync(join(root, file)).isDirectory()) return 'only pages have headings';
  return anchorsOf(file).has(anchor) ? undefined : `${file} has no such heading`;
}

function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}

/** Checks the table of promises; gives how many there are. */
function checkPromises(problems) {
  const lines = prose(HARDENING).split('\n');
  const start = lines.findIndex((line) => line.trim() === `## ${SECTION}`);
  if (start < 0) {
    problems.push(`${HARDENING}: the section "## ${SECTION}" is missing`);
    return 0;
  }
  let promises = 0;
  for (const [offset, line] of lines.slice(start + 1).entries()) {
    if (line.startsWith('## ')) break;
    if (!line.startsWith('|') || /^\|[\s|:-]+$/.test(line) || line.startsWith('| Promise')) continue;
    promises += 1;
    const at = `${HARDENING}:${start + offset + 2}`;
    const last =
      line
        .trim()
        .replace(/\|$/, '')
        .split(/(?<!\\)\|/)
        .at(-1) ?? '';
    const links = linksOf(last);
    if (links.length === 0) problems.push(`${at}: the promise has no test`);
    for (const { target } of links) {
      if (!target.endsWith('.test.ts')) problems.push(`${at}: ${target} is no test file`);
    }
  }
  if (promises < MIN_PROMISES) problems.push(`${HARDENING}: only ${promises} promises were found`);
  return promises;
}

const problems = [];
let count = 0;
for (const page of PAGES) {
  const text = prose(page);
  for (const { target, index } of linksOf(text)) {
    count += 1;
    const fault = faultOf(page, target);
    if (fault !== undefined) problems.push(`${page}:${lineOf(text, index)}: ${target}: ${fault}`);
  }
}
const promises = checkPromises(problems);
finish(problems, `${count} links of ${PAGES.length} pages, ${promises} promises with their tests`);
