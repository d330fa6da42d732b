/**
 * Shows that the lint rules really report: each faulty file below is written into a copy of the repository's lint set-up and must be
 * reported by the rule it names; each sound file must pass. A rule that has silently stopped working (a renamed option, a pattern
 * that no longer matches) fails here, not years later.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finish, root, run } from './check.mjs';

const DOC = '/** A value. */\n';
const imports = (specifier) => `${DOC}export { thing } from '${specifier}';\n`;
const typeImport = (specifier) =>
  `import type { Thing } from '${specifier}';\n${DOC}export type Other = Thing;\n`;
const lines = (count) => `${DOC}export const list: number[] = [\n${'  1,\n'.repeat(count - 3)}];\n`;
const LAYERS = 'eslint(no-restricted-imports)';
const server = 'packages/server/src';
const client = 'packages/client/src';

/** `[file, source, the rule that must report it]` */
const faulty = [
  ['packages/nats/src/from-core.ts', imports('@socketcluster-ts/core'), LAYERS],
  ['packages/redis/src/from-core.ts', imports('@socketcluster-ts/core'), LAYERS],
  ['packages/server/src/nodes/from-cluster.ts', imports('../cluster/relay-line.js'), LAYERS],
  ['packages/server/src/workers/from-socket.ts', imports('../socket/outbound.js'), LAYERS],
  [`${server}/cluster/from-socket.ts`, imports('../socket/outbound.js'), LAYERS],
  [`${server}/socket/from-cluster.ts`, imports('../cluster/outbox.js'), LAYERS],
  [`${server}/exchange/from-cluster.ts`, imports('../cluster/outbox.js'), LAYERS],
  ['packages/streams/src/from-core.ts', imports('@socketcluster-ts/core'), LAYERS],
  ['packages/streams/src/from-node.ts', imports('node:events'), LAYERS],
  ['packages/streams/src/from-npm.ts', typeImport('ws'), LAYERS],
  ['packages/streams/src/from-door.ts', imports('./index.js'), LAYERS],
  ['packages/core/src/from-server.ts', typeImport('@socketcluster-ts/server'), LAYERS],
  ['packages/core/src/protocol/from-door.ts', imports('../index.js'), LAYERS],
  ['packages/core/src/protocol/from-node.ts', imports('node:crypto'), LAYERS],
  ['packages/core/src/from-inside-streams.ts', imports('@socketcluster-ts/streams/src/x.js'), LAYERS],
  [`${server}/origin.ts`, imports('./server.js'), LAYERS],
  [`${server}/server-events.ts`, typeImport('./listen.js'), LAYERS],
  [`${server}/server.ts`, imports('./listen.js'), LAYERS],
  [`${server}/listen.ts`, imports('./index.js'), LAYERS],
  [`${server}/action.ts`, imports('./index.js'), LAYERS],
  [`${server}/server-options.ts`, typeImport('@socketcluster-ts/testkit'), LAYERS],
  [`${server}/client-registry.ts`, imports('../../core/src/errors.js'), LAYERS],
  [`${server}/engine/from-auth.ts`, imports('../auth/auth-engine.js'), LAYERS],
  [`${server}/auth/from-engine.ts`, typeImport('../engine/engine.js'), LAYERS],
  [`${server}/auth/from-testkit.ts`, imports('@socketcluster-ts/testkit'), LAYERS],
  [`${server}/middleware/from-exchange.ts`, imports('../exchange/exchange.js'), LAYERS],
  [`${server}/middleware/from-root.ts`, typeImport('../server-options.js'), LAYERS],
  [`${server}/exchange/from-socket.ts`, typeImport('../socket/outbound.js'), LAYERS],
  [`${server}/socket/from-server.ts`, imports('../server.js'), LAYERS],
  [`${server}/socket/from-the-socket.ts`, typeImport('./server-socket.js'), LAYERS],
  [`${server}/socket/from-core-file.ts`, imports('@socketcluster-ts/core/dist/errors.js'), LAYERS],
  [`${client}/from-server.ts`, typeImport('@socketcluster-ts/server'), LAYERS],
  [`${client}/from-node.ts`, imports('node:crypto'), LAYERS],
  [`${client}/from-ws.ts`, typeImport('ws'), LAYERS],
  [`${client}/from-the-socket.ts`, typeImport('./client-socket.js'), LAYERS],
  [`${client}/from-one-platform.ts`, imports('./web-socket-node.js'), LAYERS],
  [`${client}/client-socket.ts`, imports('./index.js'), LAYERS],
  [`${client}/web-socket-node.ts`, imports('./transport.js'), LAYERS],
  [`${client}/from-react.ts`, typeImport('react'), LAYERS],
  [`${client}/from-hooks.ts`, imports('./react/lease.js'), LAYERS],
  [`${client}/react/from-door.ts`, imports('../index.js'), LAYERS],
  [`${client}/react/from-react-dom.ts`, imports('react-dom'), LAYERS],
  [
    `${server}/socket/inline-type.ts`,
    `${DOC}export type Far = import('../server.js').AGServer;\n`,
    'typescript(consistent-type-imports)',
  ],
  [
    'packages/core/src/ring-a.ts',
    `import { b } from './ring-b.js';\n${DOC}export const a = (): unknown => b;\n`,
    null,
  ],
  [
    'packages/core/src/ring-b.ts',
    `import { a } from './ring-a.js';\n${DOC}export const b = (): unknown => a;\n`,
    'import(no-cycle)',
  ],
  [
    'packages/core/src/type-ring-a.ts',
    `import type { B } from './type-ring-b.js';\n${DOC}export type A = B[];\n`,
    null,
  ],
  [
    'packages/core/src/type-ring-b.ts',
    `import type { A } from './type-ring-a.js';\n${DOC}export type B = A[];\n`,
    'import(no-cycle)',
  ],
  ['packages/core/src/long.ts', lines(451), 'eslint(max-lines)'],
  [
    'packages/core/src/many-parameters.ts',
    `${DOC}export const f = (a: 1, b: 1, c: 1, d: 1, e: 1): unknown => [a, b, c, d, e];\n`,
    'eslint(max-params)',
  ],
  ['packages/core/src/untyped.ts', `${DOC}export const a: any = 1;\n`, 'typescript(no-explicit-any)'],
  [
    'packages/core/src/talkative.ts',
    `${DOC}export const f = (): void => console.log(1);\n`,
    'eslint(no-console)',
  ],
  [
    'packages/core/src/floating.ts',
    `const p = async (): Promise<void> => {};\n${DOC}export const f = (): void => {\n  p();\n};\n`,
    'typescript(no-floating-promises)',
  ],
  ['packages/core/src/camelCase.ts', `${DOC}export const a = 1;\n`, 'unicorn(filename-case)'],
  ['packages/core/src/default-export.ts', `${DOC}export default 1;\n`, 'import(no-default-export)'],
  [
    'packages/core/src/hidden.ts',
    `/** Owns x. */\nexport class Hidden {\n  private x = 1;\n}\n`,
    'repo(no-private-keyword)',
  ],
  ['packages/core/src/utils.ts', `${DOC}export const a = 1;\n`, 'repo(file-named-for-its-thing)'],
  ['packages/core/src/protocol/index.ts', `${DOC}export const a = 1;\n`, 'repo(file-named-for-its-thing)'],
  ['packages/core/src/open-door.ts', `export * from './origin.js';\n`, 'repo(explicit-door)'],
  ['packages/core/src/undocumented.ts', `export const a = 1;\n`, 'repo(exported-docstring)'],
  ['packages/core/src/ownerless.ts', `/** A thing. */\nexport class Thing {}\n`, 'repo(exported-docstring)'],
  [
    'packages/core/src/unargued.ts',
    `// oxlint-disable-next-line no-debugger\ndebugger;\n${DOC}export const a = 1;\n`,
    'repo(argued-exception)',
  ],
  [
    'packages/core/test/focused.test.ts',
    `import { expect, test } from 'vitest';\ntest.only('x', () => expect(1).toBe(1));\n`,
    'vitest(no-focused-tests)',
  ],
  [
    'packages/core/test/idle.test.ts',
    `import { test } from 'vitest';\ntest('x', () => String(1));\n`,
    'vitest(expect-expect)',
  ],
  [
    'packages/core/test/skipped.test.ts',
    `import { expect, test } from 'vitest';\ntest.skip('x', () => expect(1).toBe(1));\n`,
    'vitest(no-disabled-tests)',
  ],
];

/** `[file, source]` that no rule may report. */
const sound = [
  [
    'packages/core/src/sound.ts',
    `${imports('@socketcluster-ts/streams')}${typeImport('./protocol/packet.js')}`,
  ],
  ['packages/core/src/protocol/sound.ts', typeImport('../errors.js')],
  [`${server}/engine/sound.ts`, `${imports('ws')}${typeImport('node:http')}`],
  [`${server}/middleware/sound.ts`, imports('../engine/frame.js')],
  [`${server}/exchange/sound.ts`, imports('../middleware/action.js')],
  [`${server}/socket/sound.ts`, imports('../exchange/publication.js')],
  [`${server}/socket/server-socket.ts`, imports('./outbound.js')],
  [`${client}/sound.ts`, `${imports('@socketcluster-ts/core')}${typeImport('./client-events.js')}`],
  [`${client}/index.ts`, `${imports('./connection.js')}${DOC}export default {};\n`],
  [`${server}/index.ts`, `${imports('./some-part.js')}${DOC}export default {};\n`],
  ['packages/core/src/full.ts', lines(450)],
  [
    'packages/core/src/argued.ts',
    `// oxlint-disable-next-line no-debugger -- shows the form\ndebugger;\n${DOC}export const a = 1;\n`,
  ],
];

const work = mkdtempSync(join(tmpdir(), 'lint-rules-'));
const problems = [];
try {
  for (const file of ['.oxlintrc.json', 'package.json', 'tools/lint-plugin.mjs']) {
    cpSync(join(root, file), join(work, file));
  }
  // The compiler settings lie beside the files (not above), because no package here is complete enough to be a referenced project.
  const settings = {
    compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, types: [], noEmit: true },
    include: ['.'],
  };
  for (const name of ['streams', 'core', 'server', 'client']) {
    mkdirSync(join(work, 'packages', name), { recursive: true });
    writeFileSync(join(work, 'packages', name, 'tsconfig.json'), JSON.stringify(settings));
  }
  for (const [file, source] of [...faulty, ...sound]) {
    mkdirSync(dirname(join(work, file)), { recursive: true });
    writeFileSync(join(work, file), source);
  }
  const { output } = run('oxlint', ['--type-aware', '--format', 'json', 'packages'], { cwd: work });
  const start = output.indexOf('{');
  if (start < 0) throw new Error(`oxlint gave no report:\n${output}`);
  const { diagnostics } = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1));
  const reported = new Map();
  for (const { filename, code } of diagnostics) {
    reported.set(filename, [...(reported.get(filename) ?? []), code]);
  }
  for (const [file, , rule] of faulty) {
    const codes = reported.get(file) ?? [];
    if (rule !== null && !codes.includes(rule)) {
      problems.push(`${file}: ${rule} must report it; reported: ${codes.join(', ') || 'nothing'}`);
    }
  }
  for (const [file] of sound) {
    const codes = reported.get(file) ?? [];
    if (codes.length > 0) problems.push(`${file}: must pass; reported: ${codes.join(', ')}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
finish(problems, `${faulty.length} faults reported, ${sound.length} sound files pass`);
