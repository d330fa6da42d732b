import { ignoreStatuses } from './protocol/close-codes.js';
import { setField } from './set-field.js';

/**
 * What all errors below share: `message` is an own enumerable property, like `name` and the fields of each class, so
 * that whoever lists or copies an error gets all of it; `stack` and `cause` stay non-enumerable. The `name` tells the
 * classes apart, also after an error has crossed the wire.
 */
class ListedMessageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    setField(this, 'message', message);
  }
}

/** A token whose time is over. */
export class AuthTokenExpiredError extends ListedMessageError {
  override readonly name = 'AuthTokenExpiredError';
  /** When the token expired: a date, or the `exp` claim in seconds since 1970; an ISO text after crossing the wire. */
  readonly expiry: Date | number | string;
  /** True when the client is to drop the token. Present only when somebody set it. */
  declare isBadToken?: boolean;

  constructor(message: string, expiry: Date | number | string, options?: ErrorOptions) {
    super(message, options);
    this.expiry = expiry;
  }
}

/** A token that cannot be read, is not signed as it must be, or does not verify. */
export class AuthTokenInvalidError extends ListedMessageError {
  override readonly name = 'AuthTokenInvalidError';
  /** True when the client is to drop the token. Present only when somebody set it. */
  declare isBadToken?: boolean;
}

/** A token whose time has not come yet. */
export class AuthTokenNotBeforeError extends ListedMessageError {
  override readonly name = 'AuthTokenNotBeforeError';
  /** When the token becomes valid: a date, or the `nbf` claim in seconds since 1970; an ISO text after the wire. */
  readonly date: Date | number | string;
  /** True when the client is to drop the token. Present only when somebody set it. */
  declare isBadToken?: boolean;

  constructor(message: string, date: Date | number | string, options?: ErrorOptions) {
    super(message, options);
    this.date = date;
  }
}

/** A failure around a token that is not the token's own fault. */
export class AuthTokenError extends ListedMessageError {
  override readonly name = 'AuthTokenError';
  /** True when the client is to drop the token. Present only when somebody set it. */
  declare isBadToken?: boolean;
}

/** A failure of authentication that concerns the engine or the socket, not one token. */
export class AuthError extends ListedMessageError {
  override readonly name = 'AuthError';
}

/** What a client is told when a middleware blocked its action without giving a reason. */
export class SilentMiddlewareBlockedError extends ListedMessageError {
  override readonly name = 'SilentMiddlewareBlockedError';
  /** The middleware line that blocked: `'handshake'`, `'inboundRaw'`, `'inbound'` or `'outbound'`. */
  readonly type: string;

  constructor(message: string, type: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** Something that is not allowed, or not allowed in the present state. */
export class InvalidActionError extends ListedMessageError {
  override readonly name = 'InvalidActionError';
}

/** An argument that the called method cannot take. */
export class InvalidArgumentsError extends ListedMessageError {
  override readonly name = 'InvalidArgumentsError';
}

/** An option with a value that it cannot have; raised at construction. */
export class InvalidOptionsError extends ListedMessageError {
  override readonly name = 'InvalidOptionsError';
}

/** A message that could not be decoded, or that lacks what its event needs. */
export class InvalidMessageError extends ListedMessageError {
  override readonly name = 'InvalidMessageError';
}

/** One thing that is wrong with checked data. */
export interface DataIssue {
  /** Where in the data: keys with dots between, `''` for the data itself. */
  readonly path: string;
  /** What is wrong, in the words of the schema. */
  readonly message: string;
}

/** Data that is not what the contract says. */
export class InvalidDataError extends ListedMessageError {
  override readonly name = 'InvalidDataError';
  /** The entry of the contract, such as `procedures.add.argument`, `events.typing`, `channels.room/:id` or `token`. */
  readonly entry: string;
  /** What is wrong; long lists and texts are cut. */
  readonly issues: readonly DataIssue[];
  /** True when the client is to drop the token. Present only when somebody set it. */
  declare isBadToken?: boolean;

  constructor(message: string, entry: string, issues: readonly DataIssue[], options?: ErrorOptions) {
    super(message, options);
    this.entry = entry;
    this.issues = issues;
  }
}

/** A name that the contract does not have. */
export class UnknownNameError extends ListedMessageError {
  override readonly name = 'UnknownNameError';
  /** What was looked for: `'procedure'`, `'event'` or `'channel'`. */
  readonly kind: string;

  constructor(message: string, kind: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A connection that ended with a close code other than 1000 and 1001. */
export class SocketProtocolError extends ListedMessageError {
  override readonly name = 'SocketProtocolError';
  /** The close code of the connection. */
  readonly code: number | undefined;

  constructor(message: string, code?: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A server that broke the protocol. */
export class ServerProtocolError extends ListedMessageError {
  override readonly name = 'ServerProtocolError';
}

/** A failure of the HTTP server underneath. */
export class HTTPServerError extends ListedMessageError {
  override readonly name = 'HTTPServerError';
}

/** Something that would have passed a limit. */
export class ResourceLimitError extends ListedMessageError {
  override readonly name = 'ResourceLimitError';
}

/** A transmit or an invoke that failed because there was no connection, or it ended before the answer. */
export class BadConnectionError extends ListedMessageError {
  override readonly name = 'BadConnectionError';
  /** `'connectAbort'` before the handshake was complete, `'disconnect'` afterwards. */
  readonly type: string;
  /**
   * The close code of the connection.
   * @default 1001
   */
  readonly code: number;
  /**
   * The reason of the close.
   * @default the text of the code if it is one that is not counted as an error, else `''`
   */
  readonly reason: string;

  // oxlint-disable-next-line max-params -- the order of the first four is part of the contract
  constructor(message: string, type: string, code?: number, reason?: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
    this.code = code ?? 1001;
    this.reason = reason ?? ignoreStatuses[this.code] ?? '';
  }
}

/** A call that its caller gave up. At the caller `cause` is the reason of the `AbortSignal` it was given. */
export class AbortError extends ListedMessageError {
  override readonly name = 'AbortError';
}

/** A subscription, an end of one, or a publish in which the broker failed. */
export class BrokerError extends ListedMessageError {
  override readonly name = 'BrokerError';
}

/** A process that ended. */
export class ProcessExitError extends ListedMessageError {
  override readonly name = 'ProcessExitError';
  /** The exit code of the process. */
  readonly code: number | undefined;

  constructor(message: string, code?: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A failure that fits no other class. */
export class UnknownError extends ListedMessageError {
  override readonly name = 'UnknownError';
}
