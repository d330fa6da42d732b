import { nextTurn } from './socket/next-turn.js';

/** A socket whose token can be judged again. */
export interface Recheckable {
  recheckToken(): Promise<boolean>;
}

/** How many sockets may wait for an answer of the application at once. */
const CONCURRENCY = 64;
/** The event loop goes on after so many sockets. */
const SOCKETS_PER_TURN = 128;

/** Has many sockets judge their tokens again. Resolves with how many of them lost it. */
export async function recheckTokens(sockets: readonly Recheckable[]): Promise<number> {
  const left = sockets.values();
  let checked = 0;
  let lost = 0;
  const work = async (): Promise<void> => {
    for (const socket of left) {
      if (await socket.recheckToken()) lost += 1;
      checked += 1;
      if (checked % SOCKETS_PER_TURN === 0) await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return lost;
}
