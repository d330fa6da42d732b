import { type AuthToken, hydrateError } from '@socketcluster-ts/core';
import type { ClientContext } from './client-context.js';
import type { AuthenticationState } from './client-events.js';
import { decodeToken } from './decode-token.js';

/** What the server made of a token. */
export interface AuthenticateResult {
  readonly isAuthenticated: boolean;
  readonly authError: unknown;
}

/** Owns the token of a client and whether it is authenticated; both outlive a connection. */
export class AuthState {
  authState: AuthenticationState = 'unauthenticated';
  authToken: AuthToken | null = null;
  signedAuthToken: string | null = null;
  /** Aborted by the next logout of the application. */
  untilLogout: AbortController = new AbortController();
  readonly #context: ClientContext;
  readonly #onChange: () => void;
  /** The token that the auth engine has, as far as is known. */
  #kept: string | null = null;
  /** Settles when what was last asked of the auth engine is done, so that it is asked one thing after the other. */
  #stored: Promise<unknown> = Promise.resolve();

  /** `onChange` is called whenever there is another token, or none. */
  constructor(context: ClientContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
  }

  get isAuthenticated(): boolean {
    return this.authState === 'authenticated';
  }

  /** The stored token; rejects when the auth engine does. */
  async load(): Promise<string | null> {
    const { face, settings } = this.#context;
    this.#kept = await this.#store(() => face.auth.loadToken(settings.authTokenName));
    return this.#kept;
  }

  /** Keeps the token at hand, if it is not the one that is kept. */
  saveIfFresh(): void {
    const { signedAuthToken } = this;
    if (signedAuthToken !== null && signedAuthToken !== this.#kept) void this.save(signedAuthToken);
  }

  /** Keeps a token for later connections. A failure is emitted. */
  save(signedAuthToken: string): Promise<unknown> {
    const { face, settings } = this.#context;
    this.#kept = signedAuthToken;
    const saved = this.#store(() => face.auth.saveToken(settings.authTokenName, signedAuthToken, {}));
    return saved.catch((error: unknown) => face.emit('error', { error }));
  }

  /** Forgets the stored token. A failure is emitted. */
  async forget(): Promise<void> {
    const { face, settings } = this.#context;
    try {
      const oldAuthToken = await this.#store(() => face.auth.removeToken(settings.authTokenName));
      face.emit('removeAuthToken', { oldAuthToken });
    } catch (error) {
      face.emit('error', { error });
    }
  }

  /** The server accepts this token. */
  enter(signedAuthToken: string): void {
    const { face } = this.#context;
    const oldAuthState = this.authState;
    const authToken = decodeToken(signedAuthToken);
    this.signedAuthToken = signedAuthToken;
    this.authToken = authToken;
    this.authState = 'authenticated';
    this.#onChange();
    if (oldAuthState !== 'authenticated') {
      face.emit('authStateChange', {
        oldAuthState,
        newAuthState: 'authenticated',
        signedAuthToken,
        authToken,
      });
    }
    face.emit('authenticate', { signedAuthToken, authToken });
  }

  /** The client is not authenticated any more. */
  leave(): void {
    const { face } = this.#context;
    const { authState: oldAuthState, authToken: oldAuthToken, signedAuthToken: oldSignedAuthToken } = this;
    this.signedAuthToken = null;
    this.authToken = null;
    this.authState = 'unauthenticated';
    this.#onChange();
    if (oldAuthState === 'unauthenticated') return;
    face.emit('authStateChange', { oldAuthState, newAuthState: 'unauthenticated' });
    face.emit('deauthenticate', { oldSignedAuthToken, oldAuthToken });
  }

  /** The application gives its token up; resolves when the stored one is removed. */
  logOut(): Promise<void> {
    this.untilLogout.abort();
    this.untilLogout = new AbortController();
    const forgotten = this.forget();
    this.leave();
    return forgotten;
  }

  /**
   * Shows a token to the server, and keeps it if the server accepts it. A logout meanwhile gives that up: what waits is
   * not sent, and the answer to what was sent does not count, for the server was told to forget the token right behind.
   */
  async authenticate(signedAuthToken: string): Promise<AuthenticateResult> {
    const { signal } = this.untilLogout;
    let answer: unknown;
    try {
      answer = await this.#context.face.invoke('#authenticate', signedAuthToken, { signal });
      signal.throwIfAborted();
    } catch (error) {
      // Without an answer nothing is known of the token.
      if (!signal.aborted && !isConnectionTrouble(error)) this.leave();
      throw error;
    }
    const { isAuthenticated, authError } = (answer ?? {}) as Partial<AuthenticateResult>;
    const result = { isAuthenticated: isAuthenticated === true, authError: hydrateError(authError) };
    if (!result.isAuthenticated) {
      // differs: upstream keeps a token that was refused, and shows it again at each connect.
      this.leave();
      return result;
    }
    this.enter(signedAuthToken);
    await this.save(signedAuthToken);
    return result;
  }

  #store<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#stored.then(task);
    this.#stored = done.catch(() => {});
    return done;
  }
}

function isConnectionTrouble(error: unknown): boolean {
  const name = (error as Partial<Error> | null)?.name;
  return name === 'BadConnectionError' || name === 'TimeoutError' || name === 'ResourceLimitError';
}
