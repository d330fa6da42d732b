import { InvalidOptionsError } from '@socketcluster-ts/core';

/** How a relay treats messages and channels on their way to other nodes. */
export interface RelayOptions {
  /**
   * Milliseconds within which the engine must have accepted a message; then `invokePublish()` rejects, and a message that
   * still waits for the engine is dropped.
   * @default 5000
   */
  readonly ackTimeout?: number;
  /**
   * Milliseconds within which the engine must have confirmed a channel; then the subscription fails.
   * @default 5000
   */
  readonly subscribeTimeout?: number;
  /**
   * Milliseconds for which the engine goes on to send a channel after its last subscriber on this node has left.
   * @default 1000
   */
  readonly grace?: number;
  /**
   * The longest message, in bytes as the codec encodes it; the engine may allow less.
   * @default 1048576
   */
  readonly maxMessageBytes?: number;
  /**
   * Messages that may wait for the engine, or for its answer.
   * @default 50000
   */
  readonly maxBufferedMessages?: number;
  /**
   * The bytes of these.
   * @default 16777216
   */
  readonly maxBufferedBytes?: number;
}

const DEFAULTS: Required<RelayOptions> = {
  ackTimeout: 5000,
  subscribeTimeout: 5000,
  grace: 1000,
  maxMessageBytes: 1_048_576,
  maxBufferedMessages: 50_000,
  maxBufferedBytes: 16_777_216,
};

/** Longer times cannot be put into a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const isMs = (value: unknown, least: number): boolean =>
  typeof value === 'number' && value >= least && value <= MAX_TIMER_MS;
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 1;

/**
 * Checks what was given and fills in the defaults.
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed
 */
export function resolveRelayOptions(given: RelayOptions): Required<RelayOptions> {
  const resolved: Record<string, number> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      const known = Object.keys(DEFAULTS).join(', ');
      throw new InvalidOptionsError(`The relay has no option ${JSON.stringify(name)}: it has ${known}`);
    }
    if (value === undefined) continue;
    const allowed = problemWith(name, value);
    if (allowed !== undefined) {
      throw new InvalidOptionsError(
        `The option ${name} of the relay must be ${allowed} - Got ${String(value)}`,
      );
    }
    resolved[name] = value as number;
  }
  return resolved as unknown as Required<RelayOptions>;
}

/** What is allowed, where the value is something else. */
function problemWith(name: string, value: unknown): string | undefined {
  if (name.startsWith('max')) return isAmount(value) ? undefined : 'a number from 1';
  const least = name === 'grace' ? 0 : 1;
  return isMs(value, least) ? undefined : `milliseconds from ${least} to ${MAX_TIMER_MS}`;
}

const BROKER_METHODS = ['listener', 'subscribeSocket', 'unsubscribeSocket', 'isSubscribed', 'invokePublish'];
const LINK_METHODS = ['connect', 'publish', 'subscribe', 'unsubscribe', 'close'];

/**
 * Checks that a relay was given a broker and a link.
 * @throws {InvalidOptionsError} that names which of the two is not, and the methods it lacks
 */
export function assertParts(broker: unknown, link: unknown): void {
  assertMethods('broker', broker, BROKER_METHODS);
  assertMethods('link', link, LINK_METHODS);
}

function assertMethods(what: string, value: unknown, methods: readonly string[]): void {
  const object = value as Record<string, unknown> | null | undefined;
  const missing = methods.filter((name) => typeof object?.[name] !== 'function');
  if (missing.length === 0) return;
  throw new InvalidOptionsError(
    `The ${what} of relayBroker() must be an object with the methods ${methods.join(', ')} - Got ${object === null ? 'null' : typeof object} without ${missing.join(', ')}`,
  );
}
