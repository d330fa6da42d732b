import { randomInt } from 'node:crypto';
import type { AGServerSocket } from '@socketcluster-ts/server';
import { checkLogin, memberName } from './accounts.js';
import { checkRoomAccess } from './channel-rules.js';
import { Refusal } from './refusal.js';
import type { RoomHistory } from './room-history.js';
import { isRoomName } from './text-input.js';

/** Gives the answer to one call; throws or rejects with a `Refusal` to answer with an error. */
export type Procedure = (socket: AGServerSocket, data: unknown) => unknown;

/** Gives the procedures that a page may call, by name. */
export function createProcedures(history: RoomHistory): ReadonlyMap<string, Procedure> {
  return new Map<string, Procedure>([
    ['serverTime', () => new Date().toISOString()],
    ['add', (_socket, data) => add(data)],
    ['rollDice', (_socket, data) => rollDice(data)],
    ['whoAmI', (socket) => whoAmI(socket)],
    ['history', (socket, data) => readHistory(history, socket, data)],
    ['login', (socket, data) => login(socket, data)],
    ['logout', (socket) => socket.deauthenticate()],
  ]);
}

function add(data: unknown): number {
  const { a, b } = (data ?? {}) as { a?: unknown; b?: unknown };
  if (typeof a !== 'number' || typeof b !== 'number') {
    throw new Refusal('InvalidInputError', 'Both a and b must be numbers.');
  }
  return a + b;
}

function rollDice(data: unknown): number {
  const { sides } = (data ?? {}) as { sides?: unknown };
  if (typeof sides !== 'number' || !Number.isInteger(sides) || sides < 2 || sides > 1000) {
    throw new Refusal('InvalidInputError', 'A die has 2 to 1000 sides.');
  }
  return randomInt(1, sides + 1);
}

function whoAmI(socket: AGServerSocket): object {
  const name = memberName(socket.authToken);
  return { socketId: socket.id, authState: socket.authState, ...(name === null ? {} : { name }) };
}

function readHistory(history: RoomHistory, socket: AGServerSocket, data: unknown): object {
  const { room } = (data ?? {}) as { room?: unknown };
  if (!isRoomName(room)) throw new Refusal('InvalidInputError', 'There is no such room.');
  checkRoomAccess(room, memberName(socket.authToken) !== null);
  return { messages: history.of(room) };
}

async function login(socket: AGServerSocket, data: unknown): Promise<object> {
  const token = checkLogin(data);
  await socket.setAuthToken({ ...token });
  return token;
}
