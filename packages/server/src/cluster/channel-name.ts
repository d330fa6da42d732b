import { BrokerError } from '@socketcluster-ts/core';
import { isLineChannel } from './relay-line.js';

/** Half of a pair that stands alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * A name that cannot be written in UTF-8 would reach other nodes as that of another channel.
 * @throws {BrokerError} for such a name, an empty one, what is no text, and the names that servers use among each other
 */
export function checkChannelName(channel: unknown): void {
  if (typeof channel === 'string' && channel !== '' && !LONE_SURROGATE.test(channel)) {
    if (!isLineChannel(channel)) return;
    throw new BrokerError(
      `The channel ${JSON.stringify(channel.slice(0, 64))} belongs to the servers of the cluster`,
    );
  }
  const got = typeof channel === 'string' ? JSON.stringify(channel.slice(0, 64)) : typeof channel;
  throw new BrokerError(
    `The name of a channel must be well-formed text, at least one character, to reach other nodes - Got ${got}`,
  );
}
