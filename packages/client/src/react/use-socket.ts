import { type AnyContract, InvalidArgumentsError, type Untyped } from '@socketcluster-ts/core';
import { useEffect, useState } from 'react';
import type { ClientOptions } from '../client-options.js';
import { AGClientSocket } from '../client-socket.js';
import { Lease } from './lease.js';

/**
 * Gives a client that belongs to the component: it connects when the component is mounted, and is closed when it is
 * unmounted. It is there from the first render on and stays the same one; it can be used before it is connected, and
 * on a server, where it never connects.
 *
 * @param given - the options, read at the first render only (with `autoConnect: false` the application connects), or
 *   a function that makes the client, with `autoConnect: false`
 * @throws {InvalidArgumentsError} for a wrong option, and for a client that connects already
 */
export function useSocket<C extends AnyContract = Untyped>(
  given: ClientOptions<C> | (() => AGClientSocket<C>) = {},
): AGClientSocket<C> {
  const [{ socket, lease }] = useState(() => own(given));
  useEffect(() => lease.hold(), [lease]);
  return socket;
}

function own<C extends AnyContract>(
  given: ClientOptions<C> | (() => AGClientSocket<C>),
): { readonly socket: AGClientSocket<C>; readonly lease: Lease } {
  const isMade = typeof given === 'function';
  const socket = isMade ? given() : new AGClientSocket<C>({ ...given, autoConnect: false });
  if (socket.state !== 'closed') {
    // React renders what it then drops, and nobody would ever close this one.
    void socket.close();
    throw new InvalidArgumentsError(
      'The client that a function gives to useSocket() must be made with autoConnect: false - Got one that connects',
    );
  }
  const isConnecting = isMade || given.autoConnect !== false;
  const lease = new Lease(
    () => {
      if (isConnecting) socket.connect();
    },
    () => void socket.close(),
  );
  return { socket, lease };
}
