/** What these tests use of the published `socketcluster-client` 20, which comes without types. */
declare module 'socketcluster-client' {
  /** A stream of events, calls or messages; every loop over it is a consumer of its own. */
  export interface EventStream<T> extends AsyncIterable<T> {
    once(timeoutMs?: number): Promise<T>;
    createConsumer(timeoutMs?: number): AsyncIterableIterator<T>;
  }

  /** A call that the server made. */
  export interface ClientRequest {
    readonly id: number;
    readonly procedure: string;
    readonly data: unknown;
    end(data?: unknown): void;
    error(error: unknown): void;
  }

  /** How to subscribe. */
  export interface SubscribeOptions {
    readonly waitForAuth?: boolean;
    readonly priority?: number;
    readonly data?: unknown;
  }

  /** A channel as an iterable of its messages. */
  export interface ClientChannel extends EventStream<unknown> {
    readonly name: string;
    readonly state: 'subscribed' | 'pending' | 'unsubscribed';
    listener(event: string): EventStream<Record<string, unknown>>;
    unsubscribe(): void;
    isSubscribed(includePending?: boolean): boolean;
    transmitPublish(data: unknown): Promise<void>;
    invokePublish(data: unknown): Promise<void>;
    close(): void;
    kill(): void;
    getBackpressure(): number;
  }

  /** Where a client keeps its token. */
  export interface ClientAuthEngine {
    saveToken(name: string, token: string, options: object): Promise<unknown>;
    removeToken(name: string): Promise<string | null>;
    loadToken(name: string): Promise<string | null>;
  }

  /** The options these tests set. */
  export interface ClientOptions {
    readonly hostname?: string;
    readonly host?: string;
    readonly port?: number;
    readonly path?: string;
    readonly query?: Record<string, string> | string;
    readonly autoConnect?: boolean;
    readonly autoReconnect?: boolean;
    readonly autoSubscribeOnConnect?: boolean;
    readonly autoReconnectOptions?: {
      readonly initialDelay?: number;
      readonly randomness?: number;
      readonly multiplier?: number;
      readonly maxDelay?: number;
    };
    readonly connectTimeout?: number;
    readonly ackTimeout?: number;
    readonly pingTimeoutDisabled?: boolean;
    readonly authTokenName?: string;
    readonly authEngine?: ClientAuthEngine;
    readonly codecEngine?: { encode(value: unknown): unknown; decode(message: unknown): unknown };
    readonly binaryType?: string;
    readonly batchOnHandshake?: boolean;
    readonly batchOnHandshakeDuration?: number;
    readonly batchInterval?: number;
    readonly protocolVersion?: 1 | 2;
    readonly channelPrefix?: string;
    readonly cloneData?: boolean;
    readonly wsOptions?: Record<string, unknown>;
  }

  /** What `authenticate()` resolves with. */
  export interface AuthStatus {
    readonly isAuthenticated: boolean;
    readonly authError: (Error & Record<string, unknown>) | null;
  }

  /** One client of the published library. */
  export class AGClientSocket {
    readonly id: string | null;
    readonly state: 'connecting' | 'open' | 'closed';
    readonly authState: 'authenticated' | 'unauthenticated';
    readonly authToken: Record<string, unknown> | null;
    readonly signedAuthToken: string | null;
    readonly pingTimeout: number;
    readonly pendingReconnect: boolean;
    readonly authTokenName: string;
    readonly isBatching: boolean;
    readonly transport: { readonly socket: { readonly url: string; terminate(): void } };
    readonly auth: ClientAuthEngine;
    connect(): void;
    disconnect(code?: number, reason?: string): void;
    reconnect(code?: number, reason?: string): void;
    transmit(event: string, data?: unknown): Promise<void>;
    invoke(event: string, data?: unknown, options?: { ackTimeout?: number }): Promise<unknown>;
    transmitPublish(channel: string, data: unknown): Promise<void>;
    invokePublish(channel: string, data: unknown): Promise<void>;
    send(message: unknown): void;
    authenticate(signedAuthToken: string | null): Promise<AuthStatus>;
    deauthenticate(): Promise<void>;
    subscribe(channel: string, options?: SubscribeOptions): ClientChannel;
    unsubscribe(channel: string): void;
    channel(channel: string): ClientChannel;
    subscriptions(includePending?: boolean): string[];
    isSubscribed(channel: string, includePending?: boolean): boolean;
    processPendingSubscriptions(): void;
    listener(event: string): EventStream<Record<string, unknown>>;
    receiver(event: string): EventStream<unknown>;
    procedure(name: string): EventStream<ClientRequest>;
    startBatch(): void;
    flushBatch(): void;
    startBatching(): void;
    stopBatching(): void;
    killAllStreams?(): void;
    killAllListeners(): void;
    killAllReceivers(): void;
    killAllProcedures(): void;
    killAllChannels(): void;
  }

  const socketClusterClient: {
    readonly version: string;
    create(options?: ClientOptions): AGClientSocket;
  };
  export default socketClusterClient;
}
