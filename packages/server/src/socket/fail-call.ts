import { dehydrateError, errorPacket } from '@socketcluster-ts/core';
import type { Connection } from './connection.js';

/** Answers a call of the client with an error; what is no call has no answer. */
export function failCall(connection: Connection, cid: number | undefined, error: unknown): void {
  if (cid !== undefined) connection.socket.sendObject(errorPacket(cid, dehydrateError(error)));
}
