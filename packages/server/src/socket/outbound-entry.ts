import {
  cloneData,
  eventPacket,
  type PendingCall,
  type WireEvent,
  type WireResponse,
} from '@socketcluster-ts/core';
import { Publication } from '../exchange/publication.js';
import type { TransmitOptions } from '../exchange/subscriber.js';
import { AGAction } from '../middleware/action.js';
import { approximateBytes } from './approximate-bytes.js';

/** An event or call on its way out. */
export interface Message {
  readonly event: string;
  readonly data: unknown;
  readonly options?: TransmitOptions | undefined;
  readonly call?: PendingCall | undefined;
  readonly ackTimeout?: number | undefined;
}

/** What can be in the ordered lane. A message of the broker, which others receive too, is its own entry. */
export type Entry = Message | Publication;

/** A packet as the codec gets it; `sendObject()` may bring anything. */
export type Packet = Partial<WireEvent & WireResponse>;

/** Whether the outbound middleware has to be asked about it. */
export function isPublish(entry: Entry): boolean {
  return entry instanceof Publication || entry.event === '#publish';
}

/** Channel and data of a publish; an application that transmits `#publish` by itself may give anything. */
export function publicationOf(entry: Entry): { readonly channel: string; readonly data?: unknown } {
  if (entry instanceof Publication) return entry;
  return (entry.data ?? {}) as { channel: string; data?: unknown };
}

/** What the outbound middleware of a socket is asked; what it changes in the data is for this socket only. */
export function publishOutAction(entry: Entry, socket: unknown): AGAction {
  const action = new AGAction(AGAction.PUBLISH_OUT);
  const isShared = entry instanceof Publication;
  const { channel, data } = isShared ? entry : publicationOf(entry);
  action.socket = socket;
  action.channel = channel;
  if (typeof data === 'object') action.data = cloneData(isShared ? entry.snapshot : data);
  else if (data !== undefined) action.data = data;
  return action;
}

/** The channel whose message it is; `undefined` for what is no message of a channel, and what somebody waits for. */
export function channelOf(entry: Entry): string | undefined {
  if (entry instanceof Publication) return entry.channel;
  if (!isPublish(entry) || entry.call !== undefined) return undefined;
  const channel: unknown = publicationOf(entry).channel;
  return typeof channel === 'string' ? channel : undefined;
}

/** Whether its encoded form is sent when nobody says otherwise. */
export function useCacheByDefault(entry: Entry): boolean {
  return entry instanceof Publication || (entry.options?.useCache ?? entry.event === '#publish');
}

/** The packet that the codec gets. */
export function toPacket(entry: Entry): Packet {
  if (entry instanceof Publication) return eventPacket('#publish', entry.packet());
  return eventPacket(entry.event, entry.data, entry.call?.cid);
}

/** How many bytes it takes, or about how many where that is known only once it is encoded. */
export function entryBytes(entry: Entry): number {
  if (entry instanceof Publication) return sizeOf(entry.payload);
  const encoded = entry.options?.stringifiedData;
  return encoded === undefined ? approximateBytes(entry.data) + entry.event.length : sizeOf(encoded);
}

function sizeOf(encoded: string | Uint8Array | ArrayBuffer): number {
  return typeof encoded === 'string' ? encoded.length : encoded.byteLength;
}
