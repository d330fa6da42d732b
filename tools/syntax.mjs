/** Reading JavaScript and TypeScript as a syntax tree. */
import { parseSync } from 'vite';

/** Parses one file; `{ program, errors }`, where each error is a text with its line. */
export function parse(file, text) {
  const { program, errors } = parseSync(file, text);
  return {
    program,
    errors: errors.map(({ message, labels }) => `line ${lineAt(text, labels?.[0]?.start ?? 0)}: ${message}`),
  };
}

/** The number (from 1) of the line of `text` that `offset` lies in. */
export function lineAt(text, offset) {
  return text.slice(0, offset).split('\n').length;
}

/** Calls `visit` with every node of a syntax tree, parents first. */
export function walk(node, visit) {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const each of node) walk(each, visit);
    return;
  }
  if (typeof node.type === 'string') visit(node);
  for (const value of Object.values(node)) walk(value, visit);
}
