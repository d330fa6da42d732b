import { defineConfig } from 'vitest/config';

/** Tests run from the TypeScript sources of every package: no build stands between an edit and its test. */
const conditions = ['@socketcluster-ts/source', 'module', 'node', 'development|production'];

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: 'node',
          include: ['packages/*/test/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          execArgv: ['--expose-gc'],
          // A busy machine is no fault of the code; what waits has deadlines of its own.
          testTimeout: 15_000,
        },
      },
      {
        // Not part of `npm test` yet: run it with `npx vitest run --project bench`.
        test: { name: 'bench', include: ['test/bench/**/*.test.ts'] },
      },
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
