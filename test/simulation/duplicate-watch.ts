import type { Link, Watcher } from './simulated-network.js';

interface Packet {
  readonly event?: string;
  readonly data?: { readonly channel?: string } | string | null;
  readonly cid?: number;
  readonly rid?: number;
  readonly error?: unknown;
}

/** What a client knows of its subscriptions on one link. */
class LinkState {
  /** Channels by the call that asks for them. */
  readonly asked = new Map<number, string>();
  readonly held = new Set<string>();
}

/**
 * Owns what can be told from frames alone: who asks for a channel that is asked for already or held, and answers nobody
 * asked for.
 */
export class DuplicateWatch implements Watcher {
  readonly faults: string[] = [];
  /** The largest number of packets in one frame of the client. */
  largestBatch: number = 0;
  readonly #links = new Map<Link, LinkState>();

  onClientFrame(link: Link, frame: string): void {
    const packets = packetsOf(frame);
    this.largestBatch = Math.max(this.largestBatch, packets.length);
    const state = this.#stateOf(link);
    for (const { event, data, cid } of packets) {
      const channel = channelOf(data);
      if (event === '#subscribe') {
        if (state.held.has(channel)) this.faults.push(`'${channel}' was subscribed to while it was held`);
        if ([...state.asked.values()].includes(channel))
          this.faults.push(`'${channel}' was subscribed to while that was asked for`);
        state.asked.set(cid ?? 0, channel);
      } else if (event === '#unsubscribe') {
        state.held.delete(channel);
        for (const [call, asked] of state.asked) if (asked === channel) state.asked.delete(call);
      }
    }
  }

  onServerFrame(link: Link, frame: string): void {
    const state = this.#stateOf(link);
    for (const { event, data, rid, error } of packetsOf(frame)) {
      if (event === '#kickOut') state.held.delete(channelOf(data));
      if (rid === undefined) continue;
      const channel = state.asked.get(rid);
      state.asked.delete(rid);
      if (channel !== undefined && error === undefined) state.held.add(channel);
    }
  }

  #stateOf(link: Link): LinkState {
    const state = this.#links.get(link) ?? new LinkState();
    this.#links.set(link, state);
    return state;
  }
}

/** `#unsubscribe` carries the name itself. */
function channelOf(data: Packet['data']): string {
  return typeof data === 'string' ? data : (data?.channel ?? '');
}

function packetsOf(frame: string): Packet[] {
  return frame === '' ? [] : ([JSON.parse(frame)].flat() as Packet[]);
}
