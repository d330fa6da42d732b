import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterTest, until } from '@socketcluster-ts/testkit';
import { expect, test, vi } from 'vitest';

const root = join(import.meta.dirname, '../../../..');
const lines = readFileSync(join(root, 'docs/contract.md'), 'utf8').split('\n');

interface Snippet {
  readonly line: number;
  readonly code: string;
  /** What it says that it prints: the comment behind each `console.log(…);` that has one. */
  readonly prints: readonly string[];
}

/** The TypeScript of the page, each with the prelude in front of it; `check-examples.mjs` compiles the same. */
function snippets(): Snippet[] {
  const found: Snippet[] = [];
  let prelude = '';
  for (let index = 0; index < lines.length; index += 1) {
    if (lines[index]?.startsWith('<!-- prelude:')) {
      prelude = /<!-- prelude:([\s\S]*?)-->/.exec(lines.slice(index).join('\n'))?.[1] ?? '';
    }
    if (lines[index] !== '```ts') continue;
    const end = lines.indexOf('```', index);
    const code = lines.slice(index + 1, end);
    const prints = code.flatMap((line) => /console\.log\(.*\)+; \/\/ (.*)$/.exec(line)?.[1] ?? []);
    found.push({ line: index + 1, code: `${prelude}\n${code.join('\n')}\nexport {};\n`, prints });
    prelude = '';
    index = end;
  }
  return found;
}

test.each(snippets())(
  'the code at line $line of the guide runs and prints what it says',
  async ({ line, code, prints }) => {
    mkdirSync(join(root, 'coverage'), { recursive: true });
    // Within the repository, so that imports find its packages.
    const folder = mkdtempSync(join(root, 'coverage', 'guide-'));
    afterTest(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, `line-${line}.ts`);
    writeFileSync(file, code);
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map(String).join(' '));
    });
    afterTest(() => log.mockRestore());
    await import(/* @vite-ignore */ file);
    await until(() => printed.length >= prints.length);
    expect(printed).toEqual(prints);
  },
);

test('the guide has code that prints', () => {
  expect(snippets().length).toBeGreaterThan(8);
  expect(snippets().flatMap(({ prints }) => prints).length).toBeGreaterThan(6);
});
