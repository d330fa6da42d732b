import type { WebSocketClass } from './web-socket.js';

/**
 * What the client asks of the world around it: the time, timers, chance, WebSockets and the events of the page. Whoever
 * simulates a network and a clock hands in parts of their own as the option `environment`; what is left out is the
 * platform's.
 */
export interface Environment {
  /** The wall clock, in milliseconds since 1970. Jumps of it are taken for what they are: a process that slept. */
  now(): number;
  /** Calls `fn` once, after so many milliseconds. */
  setTimeout(fn: () => void, ms: number): unknown;
  /** Makes sure that it is not called. */
  clearTimeout(timer: unknown): void;
  /** A number from 0, below 1: the jitter of reconnects. */
  random(): number;
  /** The class of WebSockets; read anew for each connection. */
  readonly WebSocket: WebSocketClass;
  /** Where `online`, `offline` and `pageshow` are heard, a `window`; none on Node. */
  readonly window: PageEvents | undefined;
  /** Where `visibilitychange` is heard, a `document`; none on Node. */
  readonly document: (PageEvents & { readonly visibilityState?: string }) | undefined;
}

/** A source of page events. */
export interface PageEvents {
  /** Calls the listener at each such event. */
  addEventListener(type: string, listener: () => void): void;
  /** Calls it no more. */
  removeEventListener(type: string, listener: () => void): void;
}

/** The environment of this platform, under what was handed in. Globals are looked up at each use. */
export function completeEnvironment(
  platformWebSocket: () => WebSocketClass,
  given: Partial<Environment> = {},
): Environment {
  const platform: Environment = {
    now: () => Date.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    random: () => Math.random(),
    get WebSocket() {
      return platformWebSocket();
    },
    get window() {
      return pageObject('window');
    },
    get document() {
      return pageObject('document');
    },
  };
  return Object.defineProperties(platform, Object.getOwnPropertyDescriptors(given));
}

function pageObject(name: string): PageEvents | undefined {
  const value = (globalThis as Record<string, unknown>)[name] as Partial<PageEvents> | undefined;
  return typeof value?.addEventListener === 'function' ? (value as PageEvents) : undefined;
}
