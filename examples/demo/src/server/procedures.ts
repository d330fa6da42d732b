import { randomInt } from 'node:crypto';
import type { AGServerSocket } from '@socketcluster-ts/server';
import type { DemoContract } from '../shared/contract.js';
import { checkLogin } from './accounts.js';
import { Refusal } from './refusal.js';
import { checkRoomAccess } from './room-access.js';
import type { RoomHistory } from './room-history.js';

/** A refusal is the answer to the caller and no news to us; anything else is a fault of ours. */
const reporting = {
  onError(error: unknown): void {
    if (!(error instanceof Refusal)) console.error(error);
  },
};

/**
 * Answers what a page may call. Arguments have been checked by the contract; what a function returns is the answer, and
 * what it throws is the error that the page gets.
 */
export function serveProcedures(socket: AGServerSocket<DemoContract>, history: RoomHistory): void {
  void socket.procedure('serverTime').each(() => new Date().toISOString(), reporting);
  void socket.procedure('add').each(({ data: { a, b } }) => a + b, reporting);
  void socket.procedure('rollDice').each(({ data: { sides } }) => randomInt(1, sides + 1), reporting);
  void socket.procedure('whoAmI').each(() => {
    const { id: socketId, authState, authToken } = socket;
    return { socketId, authState, ...(authToken === null ? {} : { name: authToken.name }) };
  }, reporting);
  void socket.procedure('history').each(({ data: { room } }) => {
    checkRoomAccess(room, socket);
    return { messages: history.of(room) };
  }, reporting);
  void socket.procedure('login').each(async ({ data: { name, password } }) => {
    checkLogin(password);
    await socket.setAuthToken({ name });
    return { name };
  }, reporting);
  void socket.procedure('logout').each(async () => {
    await socket.deauthenticate();
  }, reporting);
}
