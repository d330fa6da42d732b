import type { JsonWebKey, webcrypto } from 'node:crypto';
import { AuthTokenError } from '@socketcluster-ts/core';
import type { createLocalJWKSet, createRemoteJWKSet, FetchImplementation, JSONWebKeySet } from 'jose';
import jwt from 'jsonwebtoken';

/** What is looked up in a key set: the algorithm that a token claims, and the key that it names. */
export interface KeyQuery {
  readonly alg: string;
  readonly kid?: string;
}

/** How a {@link RemoteKeySet} is kept; all times in milliseconds. */
export interface RemoteKeySetOptions {
  /** The age at which the set is read again before it is used. @default 600000 */
  readonly maxAgeMs?: number;
  /** How long a set is used when it cannot be read again. @default 3600000 */
  readonly maxStaleMs?: number;
  /** The shortest time between two readings that unknown keys ask for. @default 30000 */
  readonly cooldownMs?: number;
  /** The shortest time from a failed reading to the next try. @default 5000 */
  readonly retryMs?: number;
  /** The longest time that a reading may take. @default 5000 */
  readonly timeoutMs?: number;
}

/** The message of the refusal of a token whose key is not in the set. */
export const KEY_UNKNOWN = 'no matching key';

const MAX_SET_BYTES = 1024 * 1024;
const MAX_RETIRED_KEYS = 1000;

type JoseLookup = ReturnType<typeof createLocalJWKSet> | ReturnType<typeof createRemoteJWKSet>;

/** Owns a key set that the application gave in full. jose, which looks keys up, is loaded on first use. */
export class LocalKeySet {
  readonly #keys: JsonWebKey[];
  #lookup: Promise<JoseLookup> | undefined;

  constructor(keys: JsonWebKey[]) {
    this.#keys = keys;
  }

  /** Resolves with the key; rejects with a `JsonWebTokenError` when no key, or more than one, answers the query. */
  async find(query: KeyQuery): Promise<webcrypto.CryptoKey> {
    this.#lookup ??= this.#load();
    return lookUp(await this.#lookup, query);
  }

  async #load(): Promise<JoseLookup> {
    const { createLocalJWKSet } = await import('jose');
    return createLocalJWKSet({ keys: this.#keys });
  }
}

/**
 * Owns the copy of a key set that an HTTP server publishes: the keys, when they were read, when reading failed, and which keys were there
 * and are gone.
 *
 * The set is read on first use, before use when it is older than `maxAgeMs`, and when a token names an unknown key, at most every
 * `cooldownMs`; so keys may be rotated at any time. Readings are shared by all who wait. When the server does not answer, the copy serves on
 * until it is `maxStaleMs` old.
 */
export class RemoteKeySet {
  readonly #url: URL;
  readonly #maxAgeMs: number;
  readonly #maxStaleMs: number;
  readonly #cooldownMs: number;
  readonly #retryMs: number;
  readonly #timeoutMs: number;
  readonly #retired = new Set<string>();
  #set: ReturnType<typeof createRemoteJWKSet> | undefined;
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown;

  constructor(url: URL, options: RemoteKeySetOptions) {
    this.#url = url;
    this.#maxAgeMs = options.maxAgeMs ?? 600_000;
    this.#maxStaleMs = options.maxStaleMs ?? 3_600_000;
    this.#cooldownMs = options.cooldownMs ?? 30_000;
    this.#retryMs = options.retryMs ?? 5000;
    this.#timeoutMs = options.timeoutMs ?? 5000;
  }

  /**
   * Resolves with the key.
   *
   * Rejects with a `JsonWebTokenError` when the set was read for this query and has no key for it, or when the key was in the set and is
   * gone. Rejects with an `AuthTokenError` whose `isBadToken` is false when the set could not be read, and when the cooldown forbids to
   * read it again for a key that may be new.
   *
   * differs: these last two are failures that no published engine knows; clients keep their tokens, which are valid for all we know.
   */
  async find(query: KeyQuery): Promise<webcrypto.CryptoKey> {
    const isCurrent = await this.#refresh();
    try {
      return await lookUp(this.#set, query);
    } catch (error) {
      if (!isKeyUnknown(error) || isCurrent || this.#retired.has(query.kid ?? '')) throw error;
    }
    if (this.#ageMs() < this.#cooldownMs) throw undecided('The key of this token is not known yet');
    await this.#readOnce();
    return lookUp(this.#set, query);
  }

  /** Resolves with whether the set was read just now; false when the copy is young enough, or must do. */
  async #refresh(): Promise<boolean> {
    if (this.#ageMs() < this.#maxAgeMs) return false;
    try {
      await this.#readOnce();
      return true;
    } catch (error) {
      if (this.#ageMs() < this.#maxStaleMs) return false;
      throw error;
    }
  }

  #ageMs(): number {
    return performance.now() - this.#readAt;
  }

  async #readOnce(): Promise<void> {
    if (performance.now() - this.#failedAt < this.#retryMs) throw unreadable(this.#failure);
    this.#reading ??= this.#read();
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      this.#set ??= await this.#create();
      const before = keyIds(this.#set.jwks());
      await this.#set.reload();
      this.#readAt = performance.now();
      this.#retire(before, keyIds(this.#set.jwks()));
    } catch (error) {
      this.#failedAt = performance.now();
      this.#failure = error;
      throw unreadable(error);
    } finally {
      this.#reading = undefined;
    }
  }

  /** jose's own clocks are switched off: they follow the wall clock, and would try a server that is down for every single token. */
  async #create(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const { createRemoteJWKSet, customFetch } = await import('jose');
    return createRemoteJWKSet(this.#url, {
      timeoutDuration: this.#timeoutMs,
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: fetchBounded,
    });
  }

  #retire(before: Set<string>, now: Set<string>): void {
    for (const kid of now) this.#retired.delete(kid);
    for (const kid of before) if (!now.has(kid)) this.#retired.add(kid);
    for (const kid of this.#retired) {
      if (this.#retired.size <= MAX_RETIRED_KEYS) break;
      this.#retired.delete(kid);
    }
  }
}

async function lookUp(find: JoseLookup | undefined, query: KeyQuery): Promise<webcrypto.CryptoKey> {
  try {
    if (find === undefined) throw new Error('The key set was never read');
    return await find({ ...query });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'ERR_JWKS_NO_MATCHING_KEY') throw new jwt.JsonWebTokenError(KEY_UNKNOWN);
    if (code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') {
      throw new jwt.JsonWebTokenError('more than one matching key');
    }
    // What remains is a key in the set that is not what it says: the publisher's fault, not the token's.
    throw unreadable(error);
  }
}

function isKeyUnknown(error: unknown): boolean {
  return error instanceof jwt.JsonWebTokenError && error.message === KEY_UNKNOWN;
}

function keyIds(set: JSONWebKeySet | undefined): Set<string> {
  return new Set(set?.keys.map((key) => key.kid).filter((kid) => typeof kid === 'string'));
}

function unreadable(cause: unknown): AuthTokenError {
  // The address stays out of the message, which goes to clients.
  return undecided('The keys that verify tokens could not be read', cause);
}

function undecided(message: string, cause?: unknown): AuthTokenError {
  const error = new AuthTokenError(message, cause === undefined ? undefined : { cause });
  error.isBadToken = false;
  return error;
}

/** Fetches as jose asks, but gives up on an answer that no key set would be. */
const fetchBounded: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    return response;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_SET_BYTES) throw new Error(`The JSON Web Key Set is larger than ${MAX_SET_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks));
};
