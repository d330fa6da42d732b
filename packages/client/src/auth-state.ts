import { type AuthToken, hydrateError } from '@socketcluster-ts/core';
import type { ClientContext } from './client-context.js';
import type { AuthenticationState } from './client-events.js';
import { decodeToken } from './decode-token.js';
import type { ClientAuthEngine } from './token-store.js';

/** What the server made of a token. */
export interface AuthenticateResult {
  readonly isAuthenticated: boolean;
  readonly authError: unknown;
}

/** Within so many microtasks a loop has what was emitted, also through a generator of the application. */
const LOOP_MICROTASKS = 10;

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
    return (this.#kept = (await this.#ask('loadToken')) as string | null);
  }

  /** Keeps the token at hand, if it is not the one that is kept. */
  saveIfFresh(): void {
    const { signedAuthToken } = this;
    if (signedAuthToken !== null && signedAuthToken !== this.#kept) void this.save(signedAuthToken);
  }

  /** Keeps a token for later connections. A failure is emitted. */
  save(signedAuthToken: string): Promise<unknown> {
    this.#kept = signedAuthToken;
    return this.#ask('saveToken', signedAuthToken, {}).catch(this.#context.emitError);
  }

  /** Forgets the stored token. A failure is emitted. */
  forget(): Promise<void> {
    const { face, emitError } = this.#context;
    return this.#ask('removeToken').then(
      (oldAuthToken) => face.emit('removeAuthToken', { oldAuthToken }),
      emitError,
    );
  }

  /** The server accepts this token, or needs none. */
  enter(signedAuthToken: string | null): void {
    const { face } = this.#context;
    const { authToken } = this.#change('authenticated', signedAuthToken);
    face.emit('authenticate', { signedAuthToken, authToken });
  }

  /** The client is not authenticated any more. */
  leave(): void {
    const { face } = this.#context;
    const { authToken: oldAuthToken, signedAuthToken: oldSignedAuthToken, isAuthenticated } = this;
    this.#change('unauthenticated', null);
    if (isAuthenticated) face.emit('deauthenticate', { oldSignedAuthToken, oldAuthToken });
  }

  #change(newAuthState: AuthenticationState, signedAuthToken: string | null): this {
    const { face } = this.#context;
    const oldAuthState = this.authState;
    const authToken = decodeToken(signedAuthToken);
    Object.assign(this, { authState: newAuthState, authToken, signedAuthToken });
    this.#onChange();
    if (oldAuthState !== newAuthState) {
      const tokens = newAuthState === 'authenticated' ? { signedAuthToken, authToken } : undefined;
      face.emit('authStateChange', { oldAuthState, newAuthState, ...tokens });
    }
    return this;
  }

  /** The application gives its token up; resolves when the stored one is removed. */
  logOut(): Promise<void> {
    this.untilLogout.abort();
    this.untilLogout = new AbortController();
    const forgotten = this.forget();
    this.leave();
    return this.#onceTold(forgotten);
  }

  /**
   * Shows a token to the server, and keeps it if the server accepts it. A logout meanwhile gives that up: what waits is
   * not sent, and the answer to what was sent does not count, for the server was told to forget the token right behind.
   */
  authenticate(signedAuthToken: string): Promise<AuthenticateResult> {
    return this.#onceTold(this.#show(signedAuthToken));
  }

  async #show(signedAuthToken: string): Promise<AuthenticateResult> {
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
    const status = (answer ?? {}) as Partial<AuthenticateResult>;
    const isAuthenticated = status.isAuthenticated === true;
    if (isAuthenticated) {
      this.enter(signedAuthToken);
      await this.save(signedAuthToken);
      // differs: upstream keeps a token that was refused, and shows it again at each connect.
    } else this.leave();
    return { ...status, isAuthenticated, authError: hydrateError(status.authError) };
  }

  /** compat: the loops over the events of a change have run before whoever asked for it goes on. */
  async #onceTold<T>(change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      for (let left = LOOP_MICROTASKS; left > 0; left--) await Promise.resolve();
    }
  }

  /** Asks the auth engine, once it is done with what it was asked before. */
  #ask(what: 'loadToken' | 'removeToken'): Promise<unknown>;
  #ask(what: 'saveToken', token: string, options: object): Promise<unknown>;
  #ask(what: keyof ClientAuthEngine, ...rest: readonly unknown[]): Promise<unknown> {
    const { settings, face } = this.#context;
    const { auth } = face;
    const done = this.#stored.then(() => auth[what](settings.authTokenName, ...(rest as [string, object])));
    this.#stored = done.catch(() => {});
    return done;
  }
}

function isConnectionTrouble(error: unknown): boolean {
  const { name } = (error ?? {}) as Partial<Error>;
  return ['BadConnectionError', 'TimeoutError', 'ResourceLimitError'].includes(name as string);
}
