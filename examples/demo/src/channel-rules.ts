import { Refusal } from './refusal.js';
import { isRoomName } from './text-input.js';

/** The rooms the page offers; any other name may be typed. */
export const SUGGESTED_ROOMS: readonly string[] = ['lobby', 'ideas', 'members'];
/** The room that needs a login. */
export const MEMBERS_ROOM = 'members';
/** Where the server publishes its figures, once a second. */
export const STATS_CHANNEL = 'stats';
/** Where a page makes traffic for the chart; what is published there carries nothing. */
export const BURST_CHANNEL = 'burst';

/** One of the channels of this application. */
export type DemoChannel =
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'presence'; readonly room: string }
  | { readonly kind: 'stats' }
  | { readonly kind: 'burst' };

/** The channel on which a room's messages travel. */
export function roomChannel(room: string): string {
  return `room/${room}`;
}

/** The channel on which the number of people in a room is published. */
export function presenceChannel(room: string): string {
  return `presence/${room}`;
}

/** Gives what the channel is for, or `null` when this application has no such channel. */
export function parseChannel(name: string): DemoChannel | null {
  if (name === STATS_CHANNEL) return { kind: 'stats' };
  if (name === BURST_CHANNEL) return { kind: 'burst' };
  const slash = name.indexOf('/');
  const kind = name.slice(0, slash);
  const room = name.slice(slash + 1);
  if ((kind === 'room' || kind === 'presence') && isRoomName(room)) return { kind, room };
  return null;
}

/**
 * Checks that somebody may enter a room.
 *
 * @throws {Refusal} `LoginRequiredError` when the room is for members and the visitor is a guest.
 */
export function checkRoomAccess(room: string, isMember: boolean): void {
  if (room === MEMBERS_ROOM && !isMember) {
    throw new Refusal('LoginRequiredError', 'This room is for members. Log in to join it.');
  }
}
