import type { AnyContract, ClientContract, CodecEngine, Untyped } from '@socketcluster-ts/core';
import type { Environment } from './environment.js';
import type { ClientAuthEngine } from './token-store.js';

/** How the delays between attempts to connect grow. All in milliseconds; what is left out keeps its default. */
export interface AutoReconnectOptions {
  /**
   * The least delay of the first attempt.
   * @default 0; with `compat: 'v20'` 10000
   */
  readonly initialDelay?: number;
  /**
   * How much is added to `initialDelay` at most; how much is left to chance.
   * @default 1000; with `compat: 'v20'` 10000
   */
  readonly randomness?: number;
  /**
   * What each further attempt multiplies both by.
   * @default 2; with `compat: 'v20'` 1.5
   */
  readonly multiplier?: number;
  /**
   * The longest delay.
   * @default 30000; with `compat: 'v20'` 60000
   */
  readonly maxDelay?: number;
  /**
   * How long a connection must have lasted for the delays to begin anew after it.
   * @default 10000; with `compat: 'v20'` 0
   */
  readonly stableAfter?: number;
}

/**
 * The options of a client. Durations are in milliseconds.
 *
 * @typeParam C - the contract, which is found in the option of that name
 */
export interface ClientOptions<C extends AnyContract = Untyped> {
  /**
   * What the client and its server agreed on (`defineContract()`). What arrives is checked by it, results included;
   * names that it does not have are refused.
   * @default nothing is checked
   */
  readonly contract?: C | null;
  /**
   * Whether what is sent is checked by the contract, too: calls, messages, results. A schema that gives a promise is too
   * late to hold data back, and what it finds is reported only.
   * @default false
   */
  readonly checkOutgoing?: boolean;
  /** Host and port as one text, `'example.com:8000'`; excludes `hostname` and `port`. */
  readonly host?: string;
  /** @default the host of the page, or `'localhost'` */
  readonly hostname?: string;
  /** @default the port of the page, or 443 with `secure`, else 80 */
  readonly port?: number | string;
  /** @default '/socketcluster/' */
  readonly path?: string;
  /** Whether to connect with TLS. @default whether the page was loaded with it */
  readonly secure?: boolean;
  /** The scheme of the address. @default 'wss' with `secure`, else 'ws' */
  readonly protocolScheme?: string | null;
  /** A socket of the file system, with the scheme `'ws+unix'`; on Node only. */
  readonly socketPath?: string | null;
  /** The query of the address: an object, in which an array stands for a repeated key, or the text. @default {} */
  readonly query?: string | Readonly<Record<string, unknown>>;
  /** Whether the time is added to the query of each attempt. @default false */
  readonly timestampRequests?: boolean;
  /** Under which name. @default 't' */
  readonly timestampParam?: string;
  /** Whether to connect when the client is created. @default true */
  readonly autoConnect?: boolean;
  /** Whether to connect again when a connection ends other than by 1000, or by 4500 and above. @default true */
  readonly autoReconnect?: boolean;
  readonly autoReconnectOptions?: AutoReconnectOptions;
  /** Whether pending channels are subscribed on each connect. @default true */
  readonly autoSubscribeOnConnect?: boolean;
  /** How long an attempt to connect may take, the handshake included. @default 20000 */
  readonly connectTimeout?: number;
  /** How long a call waits for its answer, and a message for its connection. @default 10000 */
  readonly ackTimeout?: number;
  /**
   * How long subscriptions wait without any answer to one of them, before those that are under way fail; 0 for ever.
   * @default 30000; with `compat: 'v20'` 0
   */
  readonly subscribeTimeout?: number;
  /** How many messages may wait for a connection; more are refused. @default 100000; with `compat: 'v20'` no limit */
  readonly maxQueuedMessages?: number;
  /** Whether silence of the server is taken for what it is. @default false */
  readonly pingTimeoutDisabled?: boolean;
  /**
   * How long a connection that may be dead (the page was shown again, the network changed, the clock jumped) has to
   * show a sign of life before it is replaced; 0 never asks.
   * @default 2000
   */
  readonly probeTimeout?: number;
  /** Under which name the token is kept. @default `socketcluster.authToken.<host>` */
  readonly authTokenName?: string;
  /** Where the token is kept. @default `localStorage` where there is one, else memory */
  readonly authEngine?: ClientAuthEngine | null;
  /**
   * Gives a fresh signed token, or null for none. Called before the token at hand expires, and instead of showing an
   * expired one when connecting. A failure is emitted as `error`, and tried again while the token lasts.
   */
  readonly getToken?: (() => string | null | Promise<string | null>) | null;
  /** How messages become frames; the server needs the same. @default JSON */
  readonly codecEngine?: CodecEngine | null;
  /** How binary frames reach the codec. @default 'arraybuffer' */
  readonly binaryType?: string;
  /** Whether everything is sent in batches after a connect. @default false */
  readonly batchOnHandshake?: boolean;
  /** For how long. @default 100 */
  readonly batchOnHandshakeDuration?: number;
  /** How often a batch is sent. @default 50 */
  readonly batchInterval?: number;
  /** Which pings and pongs are spoken; the server needs the same. @default 2 */
  readonly protocolVersion?: 1 | 2;
  /** Options of the WebSocket of `ws`: headers, certificates, an agent. On Node only. @default {} */
  readonly wsOptions?: object;
  /** Whether data is copied when it is sent, so that it may be changed while it waits. @default false */
  readonly cloneData?: boolean;
  /** Put before the names of channels on the wire. @default none */
  readonly channelPrefix?: string | null;
  /** Names this client for the application. @default a new UUID */
  readonly clientId?: string;
  /** Whose numbers for reconnecting and limits: `'v20'` those of `socketcluster-client` 20. @default ours */
  readonly compat?: 'v20' | null;
  /** Time, timers, chance and WebSockets of one's own; for simulations. */
  readonly environment?: Partial<Environment>;
  /** Not used; accepted because applications give it. */
  readonly subscriptionRetryOptions?: object;
}

/** The options a client works with: checked, with all defaults filled in. The application may change them. */
export type ClientSettings = {
  [K in Exclude<
    keyof ClientOptions,
    | 'contract'
    | 'host'
    | 'hostname'
    | 'port'
    | 'subscriptionRetryOptions'
    | 'autoReconnectOptions'
    | 'environment'
  >]: Required<ClientOptions>[K];
} & {
  readonly contract: ClientContract | null;
  host?: string;
  hostname?: string;
  port?: number | string;
  autoReconnectOptions: { -readonly [K in keyof AutoReconnectOptions]-?: number };
};

/** What may be said about one call. */
export interface InvokeOptions {
  /** How long to wait for the answer, in milliseconds, the time without a connection included; `Infinity` for ever. */
  readonly timeout?: number;
  /** The same, under the name that `socketcluster-client` has for it; `timeout` wins. @default the option `ackTimeout` */
  readonly ackTimeout?: number;
  /** Gives the call up. A server that knows how is told to stop working on it. */
  readonly signal?: AbortSignal;
}

/** What may be said about one message. */
export interface TransmitOptions {
  /** How long the message may wait for a connection, in milliseconds. @default the option `ackTimeout` */
  readonly ackTimeout?: number;
}
