/**
 * Where a client keeps its signed token between connections, and in a browser between visits.
 *
 * The client calls one method after the other, never two at once. A rejection, or a throw, is emitted as `error`.
 */
export interface ClientAuthEngine {
  /** Keeps a token under a name. */
  saveToken(name: string, token: string, options: object): Promise<unknown>;
  /** Forgets the token of that name, and gives it. */
  removeToken(name: string): Promise<unknown>;
  /** The token of that name, or null. */
  loadToken(name: string): Promise<string | null>;
}

interface Storage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

/** Owns the tokens of this page: in `localStorage` where there is one that can be written, in memory otherwise. */
export class TokenStore implements ClientAuthEngine {
  readonly #storage = usableStorage();
  readonly #memory = new Map<string, string>();

  async saveToken(name: string, token: string): Promise<string> {
    if (!this.#storage) this.#memory.set(name, token);
    else this.#storage.setItem(name, token);
    return token;
  }

  async removeToken(name: string): Promise<string | null> {
    const token = await this.loadToken(name);
    this.#storage?.removeItem(name);
    this.#memory.delete(name);
    return token;
  }

  async loadToken(name: string): Promise<string | null> {
    return this.#storage?.getItem(name) ?? this.#memory.get(name) ?? null;
  }
}

/** A browser may have a storage and refuse its use: when cookies are blocked, or it is full. */
function usableStorage(): Storage | undefined {
  try {
    const { window } = globalThis as { window?: { localStorage?: Storage } };
    // Outside a page only one that the application has put there: that of Node.js warns when it is touched.
    const storage: Storage | undefined =
      window?.localStorage ?? Object.getOwnPropertyDescriptor(globalThis, 'localStorage')?.value;
    storage?.setItem('socketcluster.probe', '1');
    storage?.removeItem('socketcluster.probe');
    return storage;
  } catch {
    return undefined;
  }
}
