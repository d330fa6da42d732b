import { AuthError, isTokenExpired } from '@socketcluster-ts/core';
import type { AuthState } from './auth-state.js';
import type { ClientContext } from './client-context.js';
import { decodeToken } from './decode-token.js';
import { Timer } from './timer.js';

/** A token is renewed so long before it expires, or at half of its remaining life if that is shorter. */
const LEAD_MS = 60_000;

/** Attempts are never closer together. */
const LEAST_DELAY_MS = 1000;

/** Owns when the option `getToken` is asked for another token. */
export class TokenRefresh {
  readonly #context: ClientContext;
  readonly #auth: AuthState;
  readonly #timer: Timer;
  /** How often it was stopped. */
  #stops = 0;

  constructor(context: ClientContext, auth: AuthState) {
    this.#context = context;
    this.#auth = auth;
    this.#timer = new Timer(context.environment, () => void this.#renew());
  }

  /** Plans the next renewal, because the token is another one now, or the clock jumped. */
  plan(): void {
    const { settings, environment } = this.#context;
    const expiry: unknown = this.#auth.authToken?.exp;
    const leftMs = typeof expiry === 'number' ? expiry * 1000 - environment.now() : 0;
    this.#timer.stop();
    if (settings.getToken !== null && leftMs > 0)
      this.#timer.start(Math.max(leftMs - LEAD_MS, leftMs / 2, LEAST_DELAY_MS));
  }

  stop(): void {
    this.#stops++;
    this.#timer.stop();
  }

  /** The token to connect with: the one that is kept, or a fresh one if that is expired. */
  async tokenForHandshake(kept: string | null): Promise<string | null> {
    const isExpired = isTokenExpired(decodeToken(kept), this.#context.environment.now());
    return (isExpired ? await this.#ask() : null) ?? kept;
  }

  async #renew(): Promise<void> {
    const { signedAuthToken } = this.#auth;
    const { settings } = this.#context;
    const stops = this.#stops;
    // With other settings it may be another server, which must not see the token.
    const isMeant = (): boolean =>
      this.#stops === stops &&
      this.#context.settings === settings &&
      this.#auth.signedAuthToken === signedAuthToken;
    const token = await this.#ask();
    if (!isMeant()) return;
    try {
      if (token !== null) {
        const { authError } = await this.#auth.authenticate(token);
        if (authError !== null) throw authError;
      }
    } catch (error) {
      this.#fail(error);
    }
    if (isMeant()) this.plan();
  }

  /** A failure is emitted, and gives none. */
  async #ask(): Promise<string | null> {
    try {
      return (await this.#context.settings.getToken?.()) ?? null;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #fail(cause: unknown): void {
    this.#context.emitError(new AuthError('The token could not be renewed', { cause }));
  }
}
