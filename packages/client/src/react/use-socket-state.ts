import type { AnyContract } from '@socketcluster-ts/core';
import { useCallback, useSyncExternalStore } from 'react';
import type { SocketState } from '../client-events.js';
import type { AGClientSocket } from '../client-socket.js';
import { follow } from './follow.js';

/** Gives whether a client is connected, and renders when that changes; on a server it is `'closed'`. */
export function useSocketState<C extends AnyContract>(socket: AGClientSocket<C>): SocketState {
  const watch = useCallback(
    (onChange: () => void) => {
      const untyped = socket as unknown as AGClientSocket;
      const stops = (['connecting', 'connect', 'close'] as const).map((event) =>
        follow<unknown>(untyped.listener(event), onChange),
      );
      return () => {
        for (const stop of stops) stop();
      };
    },
    [socket],
  );
  return useSyncExternalStore(
    watch,
    () => socket.state,
    () => 'closed',
  );
}
