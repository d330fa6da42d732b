import type { AnyContract, Claims, Untyped } from '@socketcluster-ts/core';

/** Whether a socket is between the upgrade and the handshake, in use, or gone. */
export type SocketState = 'connecting' | 'open' | 'closed';

/** What happens to the streams of a socket when it closes. */
export type StreamCleanupMode = 'kill' | 'close' | 'none';

/** Whether a socket showed a valid token. */
export type AuthenticationState = 'authenticated' | 'unauthenticated';

/** How a client subscribed: the data of its `#subscribe` packet without the channel. */
export interface SubscriptionOptions {
  readonly data?: unknown;
  readonly waitForAuth?: boolean;
  readonly [option: string]: unknown;
}

/** Why a connection ended: the close code, and the reason given or the text that belongs to the code. */
export interface CloseEvent {
  code: number;
  reason: string | undefined;
}

/** A change between the two authentication states. `C` is the contract. */
export interface AuthStateChange<C extends AnyContract = Untyped> {
  oldAuthState: AuthenticationState;
  newAuthState: AuthenticationState;
  /** Only when the new state is `'authenticated'`. */
  authToken?: Claims<C>;
}

/** What {@link AGServerSocket} emits. `C` is the contract. */
export interface SocketEvents<C extends AnyContract = Untyped> {
  /** Something went wrong on this socket; the server emits the same as `warning`. */
  error: { error: unknown };
  /** Every inbound message, pongs included, after the inboundRaw middleware. */
  message: { message: string | Buffer };
  /** A message that is neither an event nor a response. */
  raw: { message: string | Buffer };
  connect: { id: string; pingTimeout: number; isAuthenticated: boolean; authError?: Error };
  disconnect: CloseEvent;
  connectAbort: CloseEvent;
  close: CloseEvent;
  subscribe: { channel: string; subscriptionOptions: SubscriptionOptions };
  unsubscribe: { channel: string };
  badAuthToken: { authError: Error; signedAuthToken: string | null };
  authenticate: { authToken: Claims<C> };
  deauthenticate: { oldAuthToken: Claims<C> | null };
  authStateChange: AuthStateChange<C>;
  authTokenSigned: { signedAuthToken: string };
  /** The last event: channels are unsubscribed, streams cleaned up. */
  end: undefined;
}
