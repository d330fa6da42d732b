/** The files of `examples/cluster`, as what deploys them reads them. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

const FOLDER = new URL('../../examples/cluster/', import.meta.url);

/** A file, as text. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, FOLDER), 'utf8');
}

/** The names in a folder. */
export function namesIn(path: string): string[] {
  return readdirSync(new URL(path, FOLDER)).toSorted();
}

/** A YAML file of one document; what it says that is no YAML is an error. */
export function yamlOf(path: string): unknown {
  return parse(textOf(path), { strict: true, uniqueKeys: true });
}

/** A YAML file of many documents. */
export function documentsOf(path: string): unknown[] {
  return parseAllDocuments(textOf(path), { strict: true, uniqueKeys: true }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
}

/** The variables that the program of a node reads. */
export function variablesRead(): Set<string> {
  const program = textOf('server.js');
  const names = [...program.matchAll(/\benv\.([A-Z_]+)|milliseconds\('([A-Z_]+)'/g)].map(
    ([, direct, number]) => direct ?? number ?? '',
  );
  const [, taken = ''] = /function linkOf\(\{(.*?)\}\)/s.exec(program) ?? [];
  return new Set([...names, ...taken.split(',').map((name) => name.split(':', 1)[0]?.trim() ?? '')]);
}

/** The last instruction of this name in the Dockerfile. */
export function instruction(name: string): string {
  const lines = textOf('Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const line = lines.findLast((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`The Dockerfile has no ${name}`);
  return line.slice(name.length + 1);
}

/** The command of an instruction in the form of a list, such as `["node", "server.js"]`. */
export function commandOf(name: string): string[] {
  const line = instruction(name);
  return JSON.parse(line.slice(line.indexOf('['))) as string[];
}
