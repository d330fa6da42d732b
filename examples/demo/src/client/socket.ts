import { type AGClientSocket, create, SocketProtocolError } from '@socketcluster-ts/client';
import { contract, type DemoContract } from '../shared/contract.js';
import type { LoginStore } from './login-store.js';

/** The client of this page; names, data and claims are those of the contract. */
export type DemoSocket = AGClientSocket<DemoContract>;

/** Gives a socket that is connecting to the server this page came from, and comes back soon after each loss. */
export function openSocket(logins: LoginStore): DemoSocket {
  const socket = create({
    contract,
    authEngine: logins,
    ackTimeout: 8000,
    connectTimeout: 8000,
    autoReconnectOptions: { maxDelay: 8000 },
  });
  // A connection that ended is shown by the page; anything else is a fault, of one end or the other.
  void socket.listener('error').each(
    ({ error }) => {
      if (!(error instanceof SocketProtocolError)) console.error(error);
    },
    { onError: console.error },
  );
  return socket;
}
