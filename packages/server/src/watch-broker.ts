import { spawn } from '@socketcluster-ts/core';
import type { BrokerEngine, BrokerExchange } from './exchange/broker-engine.js';

/** Who hears how the broker is. */
export interface BrokerWatcher {
  /** It is ready; called once, not before the turn after. */
  onReady(): void;
  emitError(error: unknown): void;
  emitWarning(warning: unknown): void;
}

/** Reports what a broker and its exchange emit. Gives whether the broker is ready now. */
export function watchBroker(broker: BrokerEngine, exchange: BrokerExchange, watcher: BrokerWatcher): boolean {
  spawn(
    async () => {
      for await (const event of broker.listener('error'))
        watcher.emitWarning((event as { error: unknown }).error);
    },
    (error) => watcher.emitWarning(error),
  );
  spawn(
    async () => {
      for await (const { error } of exchange.listener('error')) watcher.emitError(error);
    },
    (error) => watcher.emitError(error),
  );
  // In a later turn: a listener attached right after the construction must see it.
  if (broker.isReady) setImmediate(() => watcher.onReady());
  else {
    spawn(
      async () => {
        await broker.listener('ready').once();
        watcher.onReady();
      },
      (error) => watcher.emitWarning(error),
    );
  }
  return broker.isReady;
}
