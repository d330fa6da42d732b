import { create } from './socketcluster-client.min.js';

/**
 * The part of the client's socket that this page uses.
 *
 * @typedef {object} Socket
 * @property {string | null} id
 * @property {'connecting' | 'open' | 'closed'} state
 * @property {'authenticated' | 'unauthenticated'} authState
 * @property {{name?: string, exp?: number} | null} authToken
 * @property {boolean} pendingReconnect
 * @property {number | null} pendingReconnectTimeout in ms
 * @property {() => void} connect
 * @property {() => Promise<void>} deauthenticate
 * @property {(event: string) => AsyncIterable<any>} listener
 * @property {(channel: string) => Channel} subscribe
 * @property {(procedure: string, data?: unknown) => Promise<any>} invoke
 * @property {(channel: string, data: unknown) => Promise<void>} transmitPublish
 * @property {(channel: string, data: unknown) => Promise<void>} invokePublish
 */

/**
 * @typedef {AsyncIterable<any> & {state: string, unsubscribe: () => void, kill: () => void}} Channel
 */

/**
 * Owns the login token of this tab.
 *
 * The client would keep it for all tabs of the browser at once; here each tab is a person of its own, which is what
 * one wants when two of them talk. It outlives a reload, and a closed tab takes it along.
 */
class TabTokenStore {
  /** @type {Map<string, string>} */
  #memory = new Map();

  /**
   * @param {string} name
   * @param {string} token
   */
  async saveToken(name, token) {
    this.#memory.set(name, token);
    try {
      sessionStorage.setItem(name, token);
    } catch {
      // A browser that forbids storage keeps the login until the reload.
    }
    return token;
  }

  /** @param {string} name */
  async removeToken(name) {
    const token = await this.loadToken(name);
    this.#memory.delete(name);
    try {
      sessionStorage.removeItem(name);
    } catch {
      // As above.
    }
    return token;
  }

  /** @param {string} name */
  async loadToken(name) {
    try {
      return sessionStorage.getItem(name) ?? this.#memory.get(name) ?? null;
    } catch {
      return this.#memory.get(name) ?? null;
    }
  }
}

/**
 * Gives a socket that is connecting to the server this page came from, and comes back soon after each loss.
 *
 * @returns {Socket}
 */
export function openSocket() {
  return create({
    authEngine: new TabTokenStore(),
    ackTimeout: 8000,
    connectTimeout: 8000,
    autoReconnectOptions: { initialDelay: 300, randomness: 500, multiplier: 1.5, maxDelay: 5000 },
  });
}
