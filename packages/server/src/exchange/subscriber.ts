import type { Publication } from './publication.js';

/** How a packet handed to `transmit()` was encoded before. */
export interface TransmitOptions {
  /** The encoded form of the whole event, ready to be sent. */
  readonly stringifiedData?: string | Uint8Array | ArrayBuffer;
  /** Send `stringifiedData` instead of encoding again. For `#publish` this is the default. */
  readonly useCache?: boolean;
  /**
   * Hand the message over only when the socket is not under pressure (`limits.pressureMarks`), behind others that wait for
   * the same. The promise settles then, and rejects with `BadConnectionError` when the connection ends before.
   * @default false
   */
  readonly whenWritable?: boolean;
}

/** How long a call waits for its answer. */
export interface InvokeOptions extends TransmitOptions {
  /** Milliseconds; the default is the server's `ackTimeout`. */
  readonly ackTimeout?: number;
}

/** Who can be subscribed to a channel: a socket, or the exchange of the server. */
export interface Subscriber {
  readonly id: string;
  /** Takes a message of a channel. */
  transmit(
    event: '#publish',
    packet: { channel: string; data?: unknown },
    options?: TransmitOptions,
  ): Promise<void> | void;
  /** Takes a message of a channel without a packet or a promise of its own; preferred where it exists. */
  deliver?(publication: Publication): void;
  /** Told that messages of a channel may be missing. */
  reportGap?(gap: Gap): void;
}

/** Messages of a channel that a subscriber did not get. */
export interface Gap {
  readonly channel: string;
  /** How many; `null` when nobody knows, and it may be none. */
  readonly dropped: number | null;
}
