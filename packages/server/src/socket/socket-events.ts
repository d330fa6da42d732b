import type { AnyContract, Claims, Untyped } from '@socketcluster-ts/core';
import type { SlowPolicy } from '../limits/outbound-limits.js';
import type { Pressure } from './pressure.js';

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

/** What is waiting to be sent has come to the high mark, or fallen to the low one (`limits.pressureMarks`). */
export interface PressureEvent extends Pressure {
  /** Whether it was the high one. */
  isHigh: boolean;
}

/** More than the budget was waiting to be sent (`limits.outboundBudget`): told with the first message that is dropped. */
export interface OverflowEvent extends Pressure {
  /** What is done about it; the policy of the first message dropped. */
  policy: SlowPolicy;
}

/** There is room again, or the connection has ended. */
export interface OverflowEndEvent {
  policy: SlowPolicy;
  /** How many messages of channels were dropped. What a connection that was cut takes with it does not count. */
  dropped: number;
  durationMs: number;
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
  pressure: PressureEvent;
  overflow: OverflowEvent;
  overflowEnd: OverflowEndEvent;
  /** The last event: channels are unsubscribed, streams cleaned up. */
  end: undefined;
}
