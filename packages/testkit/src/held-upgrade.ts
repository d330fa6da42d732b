import type { AGServer } from '@socketcluster-ts/server';
import { consume } from './consume.js';
import { deferred } from './deferred.js';

/** Upgrade requests that a middleware has not decided about. */
export interface HeldUpgrades {
  /** Resolves when the first is there. */
  readonly reached: Promise<void>;
  /** Lets them in, and all later ones. */
  release(): void;
}

/** Sets a handshake middleware that decides about nothing until the test says so. */
export function holdUpgrades(server: AGServer): HeldUpgrades {
  const reached = deferred();
  const gate = deferred();
  server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, (stream) =>
    consume(stream, async (action) => {
      reached.resolve();
      await gate.promise;
      action.allow();
    }),
  );
  return { reached: reached.promise, release: () => gate.resolve() };
}
