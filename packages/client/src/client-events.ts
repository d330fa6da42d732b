import type { AnyContract, ChannelOptions, ChannelState, Claims, Untyped } from '@socketcluster-ts/core';

/** Whether a client is between two connections, on its way to one, or connected. */
export type SocketState = 'connecting' | 'open' | 'closed';

/** Whether the client holds a token that the server accepted. Outlives a connection. */
export type AuthenticationState = 'authenticated' | 'unauthenticated';

/** Why a connection ended: the close code, and the reason given or else the text that belongs to the code, if it has one. */
export interface CloseEvent {
  readonly code: number;
  readonly reason: string | undefined;
}

/** What a connection begins with. */
export interface ConnectEvent {
  /** The id that the server gave the socket. */
  readonly id?: string;
  /** How long the client waits for a ping, in milliseconds. */
  readonly pingTimeout?: number;
  readonly isAuthenticated?: boolean;
  /** The signed token that was shown, if any. */
  readonly authToken?: string | null;
  /** Why that token was refused. */
  readonly authError?: unknown;
  /** Subscribes the pending channels; for who has switched `autoSubscribeOnConnect` off. */
  processPendingSubscriptions(): void;
}

/** A change between the two authentication states; the tokens only when the new one is `'authenticated'`. */
export interface AuthStateChange<C extends AnyContract = Untyped> {
  readonly oldAuthState: AuthenticationState;
  readonly newAuthState: AuthenticationState;
  readonly signedAuthToken?: string | null;
  readonly authToken?: Claims<C> | null;
}

/** A channel, and how it was subscribed to. */
export interface SubscriptionEvent {
  readonly channel: string;
  readonly subscriptionOptions: ChannelOptions;
}

/** What {@link AGClientSocket} emits. `C` is the contract. */
export interface ClientEvents<C extends AnyContract = Untyped> {
  /** An attempt to connect begins. */
  connecting: Readonly<Record<string, never>>;
  /** The handshake is complete. */
  connect: ConnectEvent;
  /** An attempt to connect failed or was given up. */
  connectAbort: CloseEvent;
  /** A connection ended. */
  disconnect: CloseEvent;
  /** Follows each `connectAbort` and each `disconnect`. */
  close: CloseEvent;
  /** Something went wrong that no promise tells. */
  error: { readonly error: unknown };
  /** Every inbound frame, pings included. */
  message: { readonly message: unknown };
  /** A frame, or an element of a batch, that is no packet. */
  raw: { readonly message: unknown };
  authenticate: { readonly signedAuthToken: string | null; readonly authToken: Claims<C> | null };
  deauthenticate: { readonly oldSignedAuthToken: string | null; readonly oldAuthToken: Claims<C> | null };
  authStateChange: AuthStateChange<C>;
  /** The stored token was removed; `oldAuthToken` is what the auth engine gave, the signed token or null. */
  removeAuthToken: { readonly oldAuthToken: unknown };
  /** A subscription was asked for. */
  subscribeRequest: SubscriptionEvent;
  subscribe: SubscriptionEvent;
  /** A subscription failed, and why. */
  subscribeFail: SubscriptionEvent & { readonly error: unknown };
  subscribeStateChange: {
    readonly channel: string;
    readonly oldChannelState: ChannelState;
    readonly newChannelState: ChannelState;
    readonly subscriptionOptions?: ChannelOptions;
  };
  unsubscribe: { readonly channel: string };
  /** The server ended a subscription. */
  kickOut: { readonly channel: string; readonly message?: string };
  /** So many messages of a channel were not delivered, because this client reads too slowly. */
  gap: { readonly channel: string; readonly dropped: number | null };
}
