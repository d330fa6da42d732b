import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Tests run from the TypeScript sources of every package: no build stands between an edit and its test. */
const conditions = ['@socketcluster-ts/source', 'module', 'node', 'development|production'];
const fromSources = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Who wrote an end of a connection: this repository, or the published packages. */
type Author = 'ours' | 'upstream';

/** The suite of client and server together, for one client and one server; `npm test` runs it for three pairings. */
function pairing(client: Author, server: Author): TestProjectInlineConfiguration {
  return {
    ...fromSources,
    test: {
      name: `pairing-${client}-${server}`,
      include: ['test/pairings/**/*.test.ts'],
      env: { CLIENT_UNDER_TEST: client, SERVER_UNDER_TEST: server },
      expect: { requireAssertions: true },
      testTimeout: 15_000,
    },
  };
}

/** The suites of the published packages end connections of the published client while its calls are under way. */
function isOfPublishedSuite(error: { stack?: string | undefined; VITEST_TEST_PATH?: unknown }): boolean {
  return (
    String(error.VITEST_TEST_PATH).includes('test/published/') &&
    error.stack?.includes('node_modules/socketcluster-client/') === true
  );
}

export default defineConfig({
  test: {
    onUnhandledError: (error) => !isOfPublishedSuite(error),
    projects: [
      {
        ...fromSources,
        test: {
          name: 'node',
          include: [
            'packages/*/test/**/*.test.ts',
            'test/{cluster,deploy,e2e,fuzz,simulation,workers}/**/*.test.ts',
          ],
          execArgv: ['--expose-gc'],
          // A busy machine is no fault of the code; what waits has deadlines of its own.
          testTimeout: 15_000,
        },
      },
      pairing('ours', 'ours'),
      pairing('ours', 'upstream'),
      pairing('upstream', 'ours'),
      // By hand: shows that a test describes what existing applications see.
      pairing('upstream', 'upstream'),
      {
        ...fromSources,
        test: { name: 'published', include: ['test/published/**/*.test.ts'], testTimeout: 15_000 },
      },
      {
        ...fromSources,
        test: {
          name: 'hostile',
          include: ['test/hostile/**/*.test.ts'],
          expect: { requireAssertions: true },
          testTimeout: 60_000,
        },
      },
      {
        test: { name: 'bench', include: ['test/bench/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        // The servers are the built ones, as is all that the tests import: what is published is what must survive.
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts', 'test/soak/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        ...fromSources,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/browser/build-demo.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
