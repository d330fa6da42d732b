import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { create } from '../src/index.js';

const root = join(import.meta.dirname, '../../..');

/** The rows of the table of options in the guide: the names in the first column, each with its text in the second. */
function documentedOptions(): Map<string, string> {
  const guide = readFileSync(join(root, 'docs/client.md'), 'utf8');
  const section = /\n## Options\n([\s\S]*?)\n## /.exec(guide)?.[1] ?? '';
  const options = new Map<string, string>();
  for (const [, names = '', defaults = ''] of section.matchAll(/^\| (`.*?) \| (.*?) \|/gm)) {
    const listed = [...names.matchAll(/`(\w+)`/g)].flatMap(([, name]) => name ?? []);
    const parts = listed.length > 1 ? defaults.split(', ') : [defaults];
    for (const [index, name] of listed.entries()) options.set(name, parts[index] ?? '');
  }
  return options;
}

/** The options of the sources, from their declaration. */
function declaredOptions(): string[] {
  const source = readFileSync(join(root, 'packages/client/src/client-options.ts'), 'utf8');
  const body = /export interface ClientOptions[\s\S]*?\n\}/.exec(source)?.[0] ?? '';
  // Accepted, and not used.
  const unused = new Set(['subscriptionRetryOptions']);
  return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)]
    .flatMap(([, name]) => name ?? [])
    .filter((name) => !unused.has(name));
}

test('the guide lists every option of the client, and no other one', () => {
  expect(declaredOptions().length).toBeGreaterThan(30);
  expect([...documentedOptions().keys()].toSorted()).toEqual(declaredOptions().toSorted());
});

test('the defaults in the guide are those of the client', () => {
  const documented = documentedOptions();
  const { options } = create({ autoConnect: false });
  const compared = Object.entries(options).filter(
    ([name, value]) =>
      ['number', 'boolean'].includes(typeof value) && !['autoConnect', 'port', 'secure'].includes(name),
  );
  expect(compared.length).toBeGreaterThan(12);
  for (const [name, value] of compared)
    expect([name, documented.get(name)?.replaceAll('`', '')]).toEqual([name, String(value)]);
  const delays = Object.entries(options.autoReconnectOptions).map(([name, value]) => `${name}: ${value}`);
  expect(documented.get('autoReconnectOptions')).toBe(`\`{${delays.join(', ')}}\``);
});
