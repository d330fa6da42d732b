/**
 * The map of the source files in `docs/architecture.md` is true: every file under `packages/<name>/src` is in it once, every file in it exists,
 * and each has a description.
 *
 * The map is one or more fenced code blocks. A line without indentation that starts with `packages/<name>/src/` opens a package; the indented
 * lines after it, up to the next line without indentation, are its files, relative to that folder:
 *
 *     ```
 *     packages/core/src/ — what both ends must agree on
 *       index.ts             the door
 *       protocol/codec.ts    CodecEngine; the JSON codec
 *     ```
 *
 * Empty lines are free. Line counts have no place here: they are wrong the day after.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, finish, packageFolders, root } from './check.mjs';

const MAP = 'docs/architecture.md';

/** Reads the map: `[{ path, line }]` of all the files in it, and what is wrong with its lines. */
function readMap(text) {
  const files = [];
  const problems = [];
  let fence;
  let folder;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const at = `${MAP}:${index + 1}`;
    const mark = /^(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || line.trim() === fence)) {
      fence = fence === undefined ? mark : undefined;
      folder = undefined;
    } else if (fence !== undefined && line.trim() !== '') {
      if (/^\S/.test(line)) {
        const [, path, description] =
          /^(packages\/[\w-]+\/src)\/(?:\s+(?:[—–-]+\s+)?(.*))?$/.exec(line) ?? [];
        folder = path;
        if (path !== undefined) problems.push(...wrongDescription(at, `${path}/`, description ?? ''));
      } else if (folder !== undefined) {
        const [, name, description] = /^\s+(\S+)(?:\s+(.*))?$/.exec(line) ?? [];
        files.push({ path: `${folder}/${name}`, at });
        problems.push(...wrongDescription(at, name, description ?? ''));
      }
    }
  }
  return { files, problems };
}

function wrongDescription(at, name, description) {
  const text = description.trim();
  if (!/\p{L}/u.test(text)) return [`${at}: ${name} has no description`];
  if (/(?:\s{2,}|~\s*)[\d,]+$/.test(text)) return [`${at}: ${name} ends with a line count: leave it out`];
  return [];
}

function main() {
  let text;
  try {
    text = readFileSync(join(root, MAP), 'utf8');
  } catch {
    return finish([`${MAP} is missing`]);
  }
  const { files, problems } = readMap(text);
  const real = new Set(packageFolders().flatMap((name) => filesUnder(`packages/${name}/src`, () => true)));
  const mapped = new Map();
  for (const { path, at } of files) {
    if (mapped.has(path)) problems.push(`${at}: ${path} is in the map twice (${mapped.get(path)})`);
    else if (!real.has(path)) problems.push(`${at}: ${path} does not exist`);
    mapped.set(path, at);
  }
  for (const path of real) {
    if (!mapped.has(path)) problems.push(`${MAP}: ${path} is missing in the map`);
  }
  finish(problems, `${real.size} files, all in the map`);
}

main();
