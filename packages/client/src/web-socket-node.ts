import { WebSocket } from 'ws';
import type { WebSocketClass } from './web-socket.js';

/** The class of WebSockets where there is no native one: that of `ws`. */
export function platformWebSocket(): WebSocketClass {
  return WebSocket as unknown as WebSocketClass;
}
