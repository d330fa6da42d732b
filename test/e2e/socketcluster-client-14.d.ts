/** What these tests use of `socketcluster-client` 14, a protocol-1 client with callbacks. */
declare module 'socketcluster-client-14' {
  /** The error-first callback of a call; the error is null when the call succeeded. */
  export type Callback<T = unknown> = (error: (Error & Record<string, unknown>) | null, data?: T) => void;

  /** Answers a call of the server. */
  export type Respond = (error?: unknown, data?: unknown) => void;

  /** A channel with callbacks. */
  export interface LegacyChannel {
    readonly name: string;
    readonly state: 'subscribed' | 'pending' | 'unsubscribed';
    watch(handler: (data: unknown) => void): void;
    unwatch(handler?: (data: unknown) => void): void;
    publish(data: unknown, callback?: Callback): void;
    unsubscribe(): void;
    on(event: string, handler: (...details: never[]) => void): void;
  }

  /** The options these tests set. */
  export interface LegacyClientOptions {
    readonly hostname?: string;
    readonly port?: number;
    readonly path?: string;
    readonly multiplex?: boolean;
    readonly autoReconnect?: boolean;
    readonly autoReconnectOptions?: {
      readonly initialDelay?: number;
      readonly randomness?: number;
      readonly multiplier?: number;
      readonly maxDelay?: number;
    };
    readonly ackTimeout?: number;
    readonly authTokenName?: string;
    readonly query?: Record<string, string>;
  }

  /** One client of the 14.x line. */
  export interface SCClientSocket {
    readonly id: string | null;
    readonly state: 'connecting' | 'open' | 'closed';
    readonly authState: 'authenticated' | 'unauthenticated';
    readonly authToken: Record<string, unknown> | null;
    readonly signedAuthToken: string | null;
    on(event: string, handler: (...details: never[]) => void): void;
    off(event?: string, handler?: (...details: never[]) => void): void;
    emit(event: string, data?: unknown, callback?: Callback): void;
    publish(channel: string, data: unknown, callback?: Callback): void;
    subscribe(channel: string, options?: { waitForAuth?: boolean; data?: unknown }): LegacyChannel;
    unsubscribe(channel: string): void;
    subscriptions(includePending?: boolean): string[];
    authenticate(signedAuthToken: string, callback?: Callback<{ isAuthenticated: boolean }>): void;
    deauthenticate(callback?: Callback): void;
    disconnect(code?: number, reason?: string): void;
    destroy(): void;
  }

  const socketCluster: {
    readonly version: string;
    create(options?: LegacyClientOptions): SCClientSocket;
  };
  export default socketCluster;
}
