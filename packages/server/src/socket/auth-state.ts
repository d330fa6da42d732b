import {
  AuthError,
  type AuthToken,
  AuthTokenExpiredError,
  cloneData,
  Deadline,
  InvalidActionError,
  InvalidArgumentsError,
  isTokenExpired,
  outgoingError,
} from '@socketcluster-ts/core';
import { clockTolerance } from '../auth/clock-tolerance.js';
import { userIdText } from '../auth/user-index.js';
import type { DeliveryOptions, SocketContext } from './socket-context.js';
import type { AuthenticationState } from './socket-events.js';

/** What `setAuthToken()` takes besides the options of the signing engine. */
export interface AuthTokenOptions extends DeliveryOptions {
  /** Seconds, or a time span such as `'2h'`. The default is the server's `authDefaultExpiry`. */
  readonly expiresIn?: number | string;
  readonly [option: string]: unknown;
}

/** The longest the wall clock is trusted for a deadline, in ms: it may be set, or the machine may sleep. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Owns the token and the authentication state of one socket, to which user it belongs, and the deadline at which the
 * token expires.
 */
export class AuthState {
  authToken: AuthToken | null = null;
  signedAuthToken: string | null = null;
  authState: AuthenticationState = 'unauthenticated';
  /** The user whose socket this is, by the claim that the option `userClaim` says. */
  userId: string | undefined;
  readonly #context: SocketContext;
  #expiry: Deadline<AuthState> | undefined;
  /** Counts token changes, so that a slow signature does not overwrite a newer token. */
  version = 0;
  /** Whether `signedAuthToken` is not yet that of `authToken`. */
  isSigning = false;

  constructor(context: SocketContext) {
    this.#context = context;
  }

  /** Takes over a token; emits nothing. */
  accept(token: AuthToken, signedToken: string | null): void {
    this.version += 1;
    this.isSigning = false;
    this.authToken = token;
    this.signedAuthToken = signedToken;
    this.authState = 'authenticated';
    this.#scheduleExpiry();
    this.#belongTo(userIdText(token?.[this.#context.server.userClaim]));
  }

  #clear(): void {
    this.version += 1;
    this.authToken = null;
    this.signedAuthToken = null;
    this.authState = 'unauthenticated';
    this.stop();
  }

  #belongTo(userId: string | undefined): void {
    const { server, socket, state } = this.#context;
    const from = this.userId;
    const to = state === 'closed' ? undefined : userId;
    if (from === to) return;
    this.userId = to;
    server.moveToUser(socket, from, to);
  }

  /** Emits that the socket is authenticated, and the change when it was not before. */
  announce(oldAuthState: AuthenticationState): void {
    const { socket, server } = this.#context;
    const authToken = this.authToken as AuthToken;
    if (oldAuthState !== this.authState) {
      const change = { oldAuthState, newAuthState: this.authState, authToken };
      socket.emit('authStateChange', change);
      server.emitOfSocket('authenticationStateChange', { socket, ...change });
    }
    socket.emit('authenticate', { authToken });
    server.emitOfSocket('authentication', { socket, authToken });
  }

  announceBadToken(authError: Error, signedAuthToken: string | null): void {
    const { socket, server } = this.#context;
    socket.emit('badAuthToken', { authError, signedAuthToken });
    server.emitOfSocket('badSocketAuthToken', { socket, authError, signedAuthToken });
  }

  /** Forgets the token and emits it; the client is not told. */
  deauthenticateSelf(): void {
    const { socket, server } = this.#context;
    const { authState: oldAuthState, authToken: oldAuthToken } = this;
    this.#clear();
    if (oldAuthState !== this.authState) {
      const change = { oldAuthState, newAuthState: this.authState };
      socket.emit('authStateChange', change);
      server.emitOfSocket('authenticationStateChange', { socket, ...change });
    }
    // compat: emitted even when there was no token.
    socket.emit('deauthenticate', { oldAuthToken });
    server.emitOfSocket('deauthentication', { socket, oldAuthToken });
  }

  /** Tells the client to forget its token; works in every state of the socket. */
  sendRemoval(): void {
    this.#context.outbound.push('#removeAuthToken', undefined);
  }

  async deauthenticate(options?: DeliveryOptions): Promise<void> {
    this.deauthenticateSelf();
    if (options?.rejectOnFailedDelivery === true) {
      await this.#context.outbound.invoke('#removeAuthToken', undefined, undefined);
      return;
    }
    this.sendRemoval();
  }

  /**
   * Signs a token, takes it over and sends it to the client.
   * @throws {InvalidActionError} before the handshake is complete; {InvalidDataError} for claims that are not what the
   *   contract says (with `checkOutgoing`); {AuthError} when the client did not confirm and `rejectOnFailedDelivery` is set; the error of the engine when it could not sign, which also closes the socket
   */
  async set(
    data: object,
    options: AuthTokenOptions | undefined,
    onSignFailure: (error: unknown) => void,
  ): Promise<void> {
    const { socket, server } = this.#context;
    if (this.#context.state === 'connecting') {
      const error = new InvalidActionError('Cannot call setAuthToken before completing the handshake');
      socket.emitError(error);
      throw error;
    }
    const { rejectOnFailedDelivery, ...signing } = { ...options } as Record<string, unknown>;
    if (signing['algorithm'] !== undefined) {
      delete signing['algorithm'];
      const message =
        'Cannot change auth token algorithm at runtime - It must be specified as a config option on launch';
      socket.emitError(new InvalidArgumentsError(message));
    }
    if (server.contract !== undefined && server.checkOutgoing) {
      const wrong = outgoingError(server.contract.checkToken(data), (error) => socket.emitError(error));
      if (wrong !== undefined) throw wrong;
    }
    const oldAuthState = this.authState;
    const token = cloneData(data) as AuthToken;
    // Authenticated from the call on: what the application does next must not see the old state.
    this.accept(token, this.signedAuthToken);
    this.isSigning = true;
    const version = this.version;
    const signOptions: Record<string, unknown> = { ...server.defaultSignatureOptions, ...signing };
    if (signing['expiresIn'] === undefined || signing['expiresIn'] === null) {
      const standard = (server.defaultSignatureOptions as Record<string, unknown>)['expiresIn'];
      if (standard === undefined || standard === null) delete signOptions['expiresIn'];
      else signOptions['expiresIn'] = standard;
    }
    if (token?.exp !== undefined) delete signOptions['expiresIn'];
    let signedAuthToken: string;
    try {
      if (server.auth.signToken === undefined) {
        throw new InvalidActionError('The auth engine cannot sign tokens: it has no signToken method');
      }
      // mutatePayload makes iat and exp appear on `socket.authToken`.
      signOptions['mutatePayload'] = true;
      signedAuthToken = await server.auth.signToken(token, server.signatureKey, signOptions);
    } catch (error) {
      if (this.version === version) this.#clear();
      onSignFailure(error);
      throw error;
    }
    if (this.version === version) {
      this.signedAuthToken = signedAuthToken;
      this.isSigning = false;
      this.#scheduleExpiry();
      // Signing may have added the claim: the option `subject` does.
      this.#belongTo(userIdText(token[server.userClaim]));
    }
    socket.emit('authTokenSigned', { signedAuthToken });
    // Deauthenticated while the token was being signed: that was said later, so it stands.
    if (this.authToken === null) return;
    this.announce(oldAuthState);
    if (rejectOnFailedDelivery !== true) {
      void socket.transmit('#setAuthToken', { token: signedAuthToken });
      return;
    }
    try {
      await this.#context.outbound.invoke('#setAuthToken', { token: signedAuthToken }, undefined);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const failure = new AuthError(`Failed to deliver auth token to client - ${reason}`, { cause: error });
      socket.emitError(failure);
      throw failure;
    }
  }

  /** Deauthenticates the socket when its token is over; gives the error then. */
  expireIfDue(): AuthTokenExpiredError | undefined {
    const token = this.authToken;
    if (token === null || !isTokenExpired(token, Date.now() - this.#toleranceMs)) return undefined;
    void this.#context.socket.deauthenticate();
    return new AuthTokenExpiredError('The socket auth token has expired', token.exp as never);
  }

  /** For how long a token is good after its `exp`, so that one which was accepted is not dropped at once. */
  get #toleranceMs(): number {
    return clockTolerance(this.#context.server.defaultVerificationOptions.clockTolerance) * 1000;
  }

  /** The socket is closed, or has no token any more: it belongs to nobody, and nothing expires. */
  stop(): void {
    this.#stopExpiry();
    this.#belongTo(undefined);
  }

  #stopExpiry(): void {
    if (this.#expiry !== undefined) this.#context.server.deadlines.cancel(this.#expiry);
  }

  #scheduleExpiry(): void {
    const exp: unknown = this.authToken?.exp;
    if (typeof exp !== 'number' || !Number.isFinite(exp) || this.#context.state === 'closed') {
      this.#stopExpiry();
      return;
    }
    const leftMs = Math.max(exp * 1000 + this.#toleranceMs - Date.now() + 1, 1);
    this.#expiry ??= new Deadline(AuthState.#onExpiry, this);
    // The wall clock can be set while this waits, so a far deadline is looked at again on the way.
    this.#context.server.deadlines.schedule(this.#expiry, Math.min(leftMs, LONGEST_WAIT_MS));
  }

  static #onExpiry(this: void, auth: AuthState): void {
    if (auth.expireIfDue() === undefined) auth.#scheduleExpiry();
  }
}
