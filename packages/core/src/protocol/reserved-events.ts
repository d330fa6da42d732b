/** The events that the protocol itself uses. Other names with a `#` are ordinary events. */
export const RESERVED_EVENTS: {
  readonly HANDSHAKE: '#handshake';
  readonly AUTHENTICATE: '#authenticate';
  readonly SET_AUTH_TOKEN: '#setAuthToken';
  readonly REMOVE_AUTH_TOKEN: '#removeAuthToken';
  readonly SUBSCRIBE: '#subscribe';
  readonly UNSUBSCRIBE: '#unsubscribe';
  readonly PUBLISH: '#publish';
  readonly KICK_OUT: '#kickOut';
} = {
  HANDSHAKE: '#handshake',
  AUTHENTICATE: '#authenticate',
  SET_AUTH_TOKEN: '#setAuthToken',
  REMOVE_AUTH_TOKEN: '#removeAuthToken',
  SUBSCRIBE: '#subscribe',
  UNSUBSCRIBE: '#unsubscribe',
  PUBLISH: '#publish',
  KICK_OUT: '#kickOut',
};

/** The name of one of the protocol's own events. */
export type ReservedEvent = (typeof RESERVED_EVENTS)[keyof typeof RESERVED_EVENTS];

/** Client to server, as the first packet, with a `cid`: opens the session. Without a payload there is no token. */
export interface HandshakeData {
  /** The signed token that the client kept from an earlier session. */
  readonly authToken?: string | null;
  /** The extensions that the client knows. */
  readonly ext?: readonly string[];
}

/** The answer to `#handshake`. */
export interface HandshakeStatus {
  /** The id of the socket. */
  readonly id: string;
  /** How long the client waits for a ping before it gives the connection up, in milliseconds. */
  readonly pingTimeout: number;
  /** Why the token of the client was refused, dehydrated. */
  readonly authError?: unknown;
  /** Whether the socket is authenticated. */
  readonly isAuthenticated: boolean;
  /** The extensions that both ends know. Only for a client that sent `ext`. */
  readonly ext?: readonly string[];
  /** The largest frame that the server takes, in bytes. Only for a client that sent `ext`; absent for no limit. */
  readonly maxPayload?: number;
}

/** Client to server, where `abort` was agreed on: the answer to a call is not wanted any more. */
export interface AbortData {
  /** The number of the call. */
  readonly cid: number;
}

/** The answer to `#authenticate`, whose payload is the signed token. */
export interface AuthenticateStatus {
  /** Whether the socket is authenticated now. */
  readonly isAuthenticated: boolean;
  /** Why it is not, dehydrated. */
  readonly authError: unknown;
}

/** Server to client: keep this token from now on. */
export interface SetAuthTokenData {
  /** The signed token. */
  readonly token: string;
}

/** Client to server, with a `cid`. */
export interface SubscribeData {
  /** The channel to subscribe to. */
  readonly channel: string;
  /** Present when the client asks only while it is authenticated. */
  readonly waitForAuth?: boolean;
  /** Whatever the application adds for its SUBSCRIBE middleware. */
  readonly data?: unknown;
}

/** Both directions. */
export interface PublishData {
  /** The channel to publish to. */
  readonly channel: string;
  /** The message. */
  readonly data?: unknown;
}

/** Server to client: the subscription was ended by the server. */
export interface KickOutData {
  /** The channel that was left. */
  readonly channel: string;
  /** Why, for the application. */
  readonly message?: string;
}

/** The payload of each reserved event. `#publish` has the same payload in both directions. */
export interface ReservedEventData {
  '#handshake': HandshakeData | undefined;
  '#authenticate': string;
  '#setAuthToken': SetAuthTokenData;
  '#removeAuthToken': undefined;
  '#subscribe': SubscribeData;
  '#unsubscribe': string;
  '#publish': PublishData;
  '#kickOut': KickOutData;
}

const names: ReadonlySet<string> = new Set(Object.values(RESERVED_EVENTS));

/** Whether an event name is one of the protocol's own. */
export function isReservedEvent(name: string): name is ReservedEvent {
  return names.has(name);
}
