import type { WebSocketClass } from './web-socket.js';

/** The native class of WebSockets. Read when it is needed: a page may replace it, and a server may render it. */
export function platformWebSocket(): WebSocketClass {
  return (globalThis as unknown as { WebSocket: WebSocketClass }).WebSocket;
}
