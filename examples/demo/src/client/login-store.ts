import type { ClientAuthEngine } from '@socketcluster-ts/client';

const SCOPE_KEY = 'demo.login-scope';

/**
 * Owns where the login of this tab is kept: with all tabs of the browser, or in this tab alone, so that two tabs can be
 * two people. It outlives a reload either way; a login of one tab goes with the tab.
 *
 * A browser that forbids storage keeps it until the reload.
 */
export class LoginStore implements ClientAuthEngine {
  #memory: Map<string, string> = new Map();
  #isOwn: boolean = attempt(() => sessionStorage.getItem(SCOPE_KEY)) === 'tab';

  /** Whether this tab has a login of its own, or none while others have one. */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  set isOwn(isOwn: boolean) {
    this.#isOwn = isOwn;
    attempt(() => (isOwn ? sessionStorage.setItem(SCOPE_KEY, 'tab') : sessionStorage.removeItem(SCOPE_KEY)));
  }

  /** The token that all tabs share, whether this one uses it or not. */
  sharedToken(name: string): string | null {
    return attempt(() => localStorage.getItem(name)) ?? null;
  }

  async saveToken(name: string, token: string): Promise<string> {
    this.#memory.set(name, token);
    attempt(() => this.#storage.setItem(name, token));
    return token;
  }

  async removeToken(name: string): Promise<string | null> {
    const token = await this.loadToken(name);
    this.#memory.delete(name);
    attempt(() => this.#storage.removeItem(name));
    return token;
  }

  async loadToken(name: string): Promise<string | null> {
    const read = attempt(() => ({ token: this.#storage.getItem(name) }));
    return read === undefined ? (this.#memory.get(name) ?? null) : read.token;
  }

  get #storage(): Storage {
    return this.#isOwn ? sessionStorage : localStorage;
  }
}

/** What the function gives; `undefined` where the browser forbids storage. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
