/** An event from the peer: with a `cid` it wants an answer (an invoke), without one it does not (a transmit). */
export interface EventPacket {
  readonly kind: 'event';
  /** The name of the event as sent: any string, so only good as a key of a `Map` or `Set`. */
  readonly event: string;
  /** The payload; `undefined` when there is none. */
  readonly data: unknown;
  /** Whether the packet carried `data` at all: `null` was sent, `undefined` was not. */
  readonly hasData: boolean;
  /** The number of the call; `undefined` for a transmit. Any finite number: 0, negative and fractions are legal. */
  readonly cid: number | undefined;
}

/** The answer of the peer to one of our calls. */
export interface ResponsePacket {
  readonly kind: 'response';
  /** The `cid` of the call that is answered. */
  readonly rid: number;
  /** The result; `undefined` when there is none. */
  readonly data: unknown;
  /** The error as sent, not yet hydrated; `undefined` when there is none. */
  readonly error: unknown;
}

/** Anything that is neither event nor response. The frame it came in is reported as `raw`. */
export interface RawPacket {
  readonly kind: 'raw';
}

/** What one element of an inbound frame can be. */
export type Packet = EventPacket | ResponsePacket | RawPacket;

/** What `#publish` and `#subscribe` have in common: a channel, and perhaps data. */
export interface ChannelPayload {
  /** The name of the channel as sent: any string, the empty one included. */
  readonly channel: string;
  /** What goes with it; `undefined` when there is none. */
  readonly data: unknown;
  /** Whether the payload carried `data` at all. */
  readonly hasData: boolean;
}

/** An event as it is encoded. */
export interface WireEvent {
  event: string;
  cid?: number;
  data?: unknown;
}

/** An answer as it is encoded. */
export interface WireResponse {
  rid: number;
  data?: unknown;
  error?: unknown;
}

const RAW: RawPacket = Object.freeze({ kind: 'raw' });

/**
 * What a decoded value is as a packet. A string `event` makes it an event, else a numeric `rid` makes it a response,
 * anything else is raw. An array is raw too: a frame's own array is a batch, and the caller takes it apart.
 *
 * This is where what came from the wire gets its first type, so it looks at own properties only (a value that
 * inherits an `event` has none) and never throws: a value whose getters throw, which only a codec other than JSON can
 * give, is raw. A `cid` that is not a finite number is none.
 */
export function parsePacket(value: unknown): Packet {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return RAW;
  try {
    return classify(value);
  } catch {
    return RAW;
  }
}

function classify(value: object): Packet {
  const event = ownValue(value, 'event');
  if (typeof event === 'string') {
    const cid = ownValue(value, 'cid');
    const hasData = Object.hasOwn(value, 'data');
    return {
      kind: 'event',
      event,
      data: hasData ? (value as { data: unknown }).data : undefined,
      hasData,
      cid: typeof cid === 'number' && Number.isFinite(cid) ? cid : undefined,
    };
  }
  const rid = ownValue(value, 'rid');
  if (typeof rid !== 'number') return RAW;
  return { kind: 'response', rid, data: ownValue(value, 'data'), error: ownValue(value, 'error') };
}

/**
 * The channel and data of a `#publish` or `#subscribe`, or `undefined` if the payload is not an object with a string
 * `channel` of its own. Never throws.
 */
export function parseChannelPayload(data: unknown): ChannelPayload | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  try {
    const channel = ownValue(data, 'channel');
    if (typeof channel !== 'string') return undefined;
    const hasData = Object.hasOwn(data, 'data');
    return { channel, data: hasData ? (data as { data: unknown }).data : undefined, hasData };
  } catch {
    return undefined;
  }
}

/** An event ready to be encoded, keys in the order `event`, `cid`, `data`; `cid` and `data` only when defined. */
export function eventPacket(event: string, data?: unknown, cid?: number): WireEvent {
  const packet: WireEvent = cid === undefined ? { event } : { event, cid };
  if (data !== undefined) packet.data = data;
  return packet;
}

/** The answer to a call that succeeded, ready to be encoded: `rid`, then `data` when defined. */
export function responsePacket(rid: number, data?: unknown): WireResponse {
  return data === undefined ? { rid } : { rid, data };
}

/**
 * The answer to a call that failed, ready to be encoded; `dehydrated` is what `dehydrateError()` gave.
 *
 * compat: an `undefined` error leaves the key out, and a `null` is sent as such; the peer takes both for success.
 */
export function errorPacket(rid: number, dehydrated: unknown): WireResponse {
  return dehydrated === undefined ? { rid } : { rid, error: dehydrated };
}

function ownValue(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
