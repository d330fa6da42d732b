import { createRequire } from 'node:module';
import { format } from 'node:util';
import type * as serverPackage from '@socketcluster-ts/server';
import { test } from 'vitest';

/** Everything that `@socketcluster-ts/server` exports. */
export type ServerModule = typeof serverPackage;

/**
 * Is true when the tests run in oracle mode: `SERVER_UNDER_TEST=upstream npx vitest run …`.
 *
 * In oracle mode every test of the testkit's servers runs against the published `socketcluster-server`, which
 * shows that a test describes what existing applications see. Tests of what only ours does are written with
 * {@link ours} and skipped there.
 */
export const isOracleMode: boolean = process.env['SERVER_UNDER_TEST'] === 'upstream';

/** The server package under test: ours, or in oracle mode the published one under the same names. */
export const serverModule: ServerModule = isOracleMode
  ? loadUpstream()
  : await import('@socketcluster-ts/server');

/** Declares tests of what only our server does. */
export interface OursOnly {
  /** Declares one test. */
  (name: string, body: () => unknown): void;
  /** Declares one test for each case; `%s` and `%j` in the name stand for the case, or for the items of an array. */
  each<T>(cases: readonly T[]): (name: string, body: (value: T) => unknown) => void;
}

/** Declares a test of behaviour that is deliberately not upstream's; oracle mode skips it and says why. */
export const ours: OursOnly = Object.assign(
  (name: string, body: () => unknown): void => {
    if (isOracleMode) {
      test(name, (context) => {
        context.skip('holds for this server only, upstream differs');
      });
    } else {
      test(name, async () => {
        await body();
      });
    }
  },
  {
    each:
      <T>(cases: readonly T[]) =>
      (name: string, body: (value: T) => unknown): void => {
        for (const value of cases) {
          const title = format(
            name,
            ...(Array.isArray(value) ? (value as unknown[]).slice(0, placeholders(name)) : [value]),
          );
          ours(title, () => body(value));
        }
      },
  },
);

function placeholders(name: string): number {
  return name.match(/%[sj]/g)?.length ?? 0;
}

function loadUpstream(): ServerModule {
  const require = createRequire(import.meta.url);
  const upstream = require('socketcluster-server') as ServerModule;
  const AGAction = require('socketcluster-server/action') as ServerModule['AGAction'];
  const AGSimpleBroker = require('ag-simple-broker') as ServerModule['AGSimpleBroker'];
  return { ...upstream, AGAction, AGSimpleBroker };
}
