import type { AGServerSocket } from '@socketcluster-ts/server';
import type { DemoContract } from '../shared/contract.js';
import { MEMBERS_ROOM } from '../shared/rooms.js';
import { isRoomName } from '../shared/text-input.js';
import { Refusal } from './refusal.js';

/**
 * Checks that somebody may enter a room, read it, or be told of it.
 *
 * @throws {Refusal} `LoginRequiredError` when the room is for members and the visitor is a guest; `ForbiddenError` when no
 *   room can have that name.
 */
export function checkRoomAccess(room: string, socket: AGServerSocket<DemoContract>): void {
  if (!isRoomName(room)) throw new Refusal('ForbiddenError', 'There is no such room.');
  if (room === MEMBERS_ROOM && socket.authToken === null) {
    throw new Refusal('LoginRequiredError', 'This room is for members. Log in to join it.');
  }
}
