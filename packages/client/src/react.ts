/**
 * React hooks for the client: sockets, channels and calls that belong to components.
 *
 * ```tsx
 * import { useChannel, useSocket } from '@socketcluster-ts/client/react';
 *
 * function News() {
 *   const socket = useSocket({ hostname: 'localhost', port: 8000 });
 *   const { state, message } = useChannel(socket, 'news');
 *   return state === 'subscribed' ? String(message ?? 'No news') : 'One moment …';
 * }
 * ```
 *
 * @module
 */
export type { ChannelSnapshot } from './react/shared-channel.js';
export { type UseChannelOptions, useChannel } from './react/use-channel.js';
export { type CallOptions, type CallStatus, type Procedure, useProcedure } from './react/use-procedure.js';
export { useSocket } from './react/use-socket.js';
export { useSocketState } from './react/use-socket-state.js';
