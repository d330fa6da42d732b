/** Where a client of one test keeps its token. */
export interface StoredToken {
  saveToken(name: string, saved: string): Promise<string>;
  removeToken(): Promise<string | null>;
  loadToken(): Promise<string | null>;
  /** What is stored now. */
  readonly token: string | null;
}

/** An auth engine that holds `token` from the start, as a browser's storage would after a reload. */
export function storedToken(token: string | null): StoredToken {
  let stored = token;
  return {
    saveToken: async (_name, saved) => {
      stored = saved;
      return saved;
    },
    removeToken: async () => {
      const removed = stored;
      stored = null;
      return removed;
    },
    loadToken: async () => stored,
    get token() {
      return stored;
    },
  };
}
