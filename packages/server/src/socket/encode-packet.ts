import { type CodecEngine, exceedsDepth, ResourceLimitError } from '@socketcluster-ts/core';
import { toPayload } from '../exchange/publication.js';
import type { Packet } from './outbound-entry.js';

/** Who has to know about packets that cannot be encoded. */
export interface EncodeFailures {
  /** Tells who waits for the packet; gives the answer to send instead, if there is one. */
  explain(packet: Packet, error: unknown): Packet | undefined;
}

/** How packets are encoded. */
export interface Encoding {
  readonly codec: CodecEngine;
  readonly limits: { readonly maxDepth: number };
}

/** The message for a packet, or for what is sent instead; `undefined` when there is nothing to send. */
export function encodePacket(
  packet: Packet,
  encoding: Encoding,
  failures: EncodeFailures,
): string | Uint8Array | undefined {
  try {
    checkDepth(packet, encoding);
    return toPayload(encoding.codec.encode(packet));
  } catch (error) {
    const answer = failures.explain(packet, error);
    return answer === undefined ? undefined : toPayload(encoding.codec.encode(answer));
  }
}

/** One message for several packets. One that cannot be encoded does not take the others with it. */
export function encodeBatch(
  packets: readonly Packet[],
  encoding: Encoding,
  failures: EncodeFailures,
): string | Uint8Array | undefined {
  try {
    for (const packet of packets) checkDepth(packet, encoding);
    return toPayload(encoding.codec.encode(packets));
  } catch {
    const good = packets
      .map((packet) => encodable(packet, encoding, failures))
      .filter((packet) => packet !== undefined);
    return good.length === 0 ? undefined : toPayload(encoding.codec.encode(good));
  }
}

function encodable(packet: Packet, encoding: Encoding, failures: EncodeFailures): Packet | undefined {
  try {
    checkDepth(packet, encoding);
    encoding.codec.encode(packet);
    return packet;
  } catch (error) {
    return failures.explain(packet, error);
  }
}

function checkDepth(packet: Packet, { limits: { maxDepth } }: Encoding): void {
  if (typeof packet?.rid === 'number' && exceedsDepth(packet.data, maxDepth)) {
    throw new ResourceLimitError(`The answer is nested deeper than ${maxDepth} levels`);
  }
}
