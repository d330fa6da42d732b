import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterTest } from '@socketcluster-ts/testkit';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../../..');
const TSC_TIMEOUT_MS = 60_000;

/** Compiles one file within the repository and gives what the compiler says. */
async function compile(code: string, ...flags: string[]): Promise<string> {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  const folder = mkdtempSync(join(root, 'coverage', 'diagnostics-'));
  afterTest(() => rmSync(folder, { recursive: true, force: true }));
  // What an application sees: the declarations that `tsc -b` wrote.
  const references = ['streams', 'core', 'server'].map((name) => ({ path: join(root, 'packages', name) }));
  const settings = { extends: join(root, 'tsconfig.test.json'), include: ['.'], references };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'code.ts'), code);
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { stdout } = await promisify(execFile)(tsc, ['-p', folder, '--pretty', 'false', ...flags], {
    timeout: TSC_TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((failed: { stdout: string }) => failed);
  return stdout;
}

/** A line of code with a mistake in it, and what the compiler has to say about it. */
const MISTAKES: readonly (readonly [code: string, message: string])[] = [
  [
    `socket.procedure('ad');`,
    `Argument of type '"ad"' is not assignable to parameter of type '"add" | "now"'.`,
  ],
  [
    `void socket.invoke('ad', [1, 2]);`,
    `Argument of type '"ad"' is not assignable to parameter of type '"add" | "now"'.`,
  ],
  [`void socket.invoke('add', [1, 'two']);`, `Type 'string' is not assignable to type 'number'.`],
  [`void socket.invoke('add');`, 'Expected 2-3 arguments, but got 1.'],
  [
    `socket.receiver('tiping');`,
    `Argument of type '"tiping"' is not assignable to parameter of type '"poke" | "typing"'.`,
  ],
  [
    `void socket.transmit('tiping', 1);`,
    `Argument of type '"tiping"' is not assignable to parameter of type '"poke" | "typing"'.`,
  ],
  [
    `void socket.transmit('typing', { rom: 'a' });`,
    `'rom' does not exist in type '{ room: string; }'. Did you mean to write 'room'?`,
  ],
  [`void socket.transmit('typing');`, 'Expected 2-3 arguments, but got 1.'],
  [
    `exchange.channel('rom/42');`,
    `Argument of type '"rom/42"' is not assignable to parameter of type '"news" | `,
  ],
  [
    `exchange.channel('room/:id', { di: 42 });`,
    `'di' does not exist in type '{ readonly id: string | number; }'.`,
  ],
  [`exchange.channel('room/:id');`, 'Expected 2 arguments, but got 1.'],
  [
    `contract.channel('rom/:id', { id: 1 });`,
    `Argument of type '"rom/:id"' is not assignable to parameter of type '"news" | "room/:id"'.`,
  ],
  [
    `void exchange.invokePublish('room/42', { txt: '' });`,
    `'txt' does not exist in type '{ text: string; }'. Did you mean to write 'text'?`,
  ],
  [`void socket.authToken?.usr;`, `Property 'usr' does not exist on type `],
  [`void socket.setAuthToken({ user: 5 });`, `Type 'number' is not assignable to type 'string'.`],
  [`void socket.procedure('add').each(() => 'three');`, `Type 'string' is not assignable to type `],
  [
    `void socket.procedure('add').each((request) => request.end('three'));`,
    `Argument of type 'string' is not assignable to parameter of type 'number'.`,
  ],
  [
    `defineContract({ procedures: { add: { args: type<number>() } } });`,
    `'args' does not exist in type 'ProcedureDefinition'`,
  ],
  [`defineContract({ events: { a: 'string' } });`, `Type 'string' is not assignable to type 'Schema`],
];

const PREAMBLE = `
import { type AGExchange, type AGServerSocket, defineContract, type } from '@socketcluster-ts/server';
const contract = defineContract({
  procedures: { add: { argument: type<[number, number]>(), result: type<number>() }, now: { result: type<number>() } },
  events: { typing: type<{ room: string }>(), poke: type<undefined>() },
  channels: { news: type<string>(), 'room/:id': type<{ text: string }>() },
  token: type<{ user: string }>(),
});
declare const socket: AGServerSocket<typeof contract>;
declare const exchange: AGExchange<typeof contract>;
`;

test('each mistake is one error, in its own line, that says what is wrong', {
  timeout: TSC_TIMEOUT_MS,
}, async () => {
  const code = `${PREAMBLE}${MISTAKES.map(([line]) => line).join('\n')}\n`;
  const before = PREAMBLE.split('\n').length - 1;
  const output = await compile(code);
  // A message may go on in indented lines, which belong to it.
  const errors = output.trim().split(/\n(?! )/);
  expect(errors.map((error) => Number(/code\.ts\((\d+),/.exec(error)?.[1]) - before)).toEqual(
    MISTAKES.map((_, index) => index + 1),
  );
  MISTAKES.forEach(([line, message], index) => expect.soft(errors[index], line).toContain(message));
});

/** For 600 entries in 1200 places: 244,000 when this was written. Types that grow with the square of it need a million. */
const MAX_INSTANTIATIONS = 300_000;

function bigContract(entries: number): string {
  const names = Array.from({ length: entries }, (_, index) => index);
  const each = (line: (index: number) => string): string => names.map(line).join('\n');
  return `
import { type AGServerSocket, attach, defineContract, type } from '@socketcluster-ts/server';
import { createServer } from 'node:http';
export const contract = defineContract({
  procedures: {\n${each((n) => `p${n}: { argument: type<{ a${n}: number }>(), result: type<[${n}, string]>() },`)}\n},
  events: {\n${each((n) => `e${n}: type<{ b${n}: string }>(),`)}\n},
  channels: {\n${each((n) => `'c${n}/:id/x${n}/:other': type<{ c${n}: boolean }>(),`)}\n},
  token: type<{ user: string }>(),
});
const server = attach(createServer(), { contract });
export async function use(socket: AGServerSocket<typeof contract>): Promise<void> {
${each((n) => `  void socket.procedure('p${n}').each(({ data }) => [${n}, String(data.a${n})]);`)}
${each((n) => `  (await socket.invoke('p${n}', { a${n}: 1 })) satisfies [${n}, string];`)}
${each((n) => `  void socket.receiver('e${n}').each((data) => data.b${n}.length);`)}
${each((n) => `  void socket.transmit('e${n}', { b${n}: '' });`)}
${each((n) => `  void server.exchange.channel('c${n}/:id/x${n}/:other', { id: 1, other: 2 }).transmitPublish({ c${n}: true });`)}
${each((n) => `  void server.exchange.subscribe('c${n}/1/x${n}/2').each((message) => message.c${n} satisfies boolean);`)}
}
`;
}

test('a contract of 200 entries of each kind, both ends in use, stays cheap for the compiler', {
  timeout: TSC_TIMEOUT_MS,
}, async () => {
  const output = await compile(bigContract(200), '--extendedDiagnostics');
  expect(output).not.toContain('error TS');
  expect(Number(/Instantiations:\s*(\d+)/.exec(output)?.[1])).toBeLessThan(MAX_INSTANTIATIONS);
});
