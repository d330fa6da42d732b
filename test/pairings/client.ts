import type { AGClientSocket, ClientOptions } from '@socketcluster-ts/client';
import { afterTest, nextValue } from '@socketcluster-ts/testkit';
import { clientModule } from './client-under-test.js';

/** Anything that listens on a port of 127.0.0.1. */
export interface Reachable {
  readonly port: number;
}

/** Attempts follow one another so quickly that a test need not wait, and not so quickly that they pile up. */
const QUICK_RECONNECT = { initialDelay: 20, randomness: 10, multiplier: 1, maxDelay: 50 };

/**
 * Creates a client of the library under test, which connects at once unless told otherwise, and disconnects it when
 * the current test is over.
 */
export function createClient(target: Reachable, options: ClientOptions = {}): AGClientSocket {
  const client = clientModule.create({
    hostname: '127.0.0.1',
    port: target.port,
    autoReconnectOptions: QUICK_RECONNECT,
    ...options,
  });
  afterTest(() => {
    client.disconnect();
    client.killAllListeners();
    client.killAllReceivers();
    client.killAllProcedures();
    client.killAllChannels();
  });
  return client;
}

/** Creates a client as {@link createClient} does and resolves once it is connected. */
export async function connectClient(target: Reachable, options: ClientOptions = {}): Promise<AGClientSocket> {
  const client = createClient(target, options);
  await nextValue(client.listener('connect'));
  return client;
}
