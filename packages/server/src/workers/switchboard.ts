import type { Socket } from 'node:net';
import { BrokerError } from '@socketcluster-ts/core';
import type { BrokerLink } from '../cluster/broker-link.js';
import { senderOf } from '../cluster/envelope.js';
import { Interest } from '../cluster/interest.js';
import { encodeFrame, type HubFrame, KINDS } from './hub-frames.js';
import { Peer } from './peer.js';

/** As a relay has it by default. */
const UPSTREAM = { grace: 1000, subscribeTimeout: 10_000 };

/**
 * Owns who of a machine wants which channels: passes each message to the workers that want it, and, where there is a link
 * to other machines, to these once for the whole machine.
 *
 * While that link is away the workers go on to reach each other; publishing is answered with its error.
 */
export class Switchboard {
  readonly #channels = new Map<string, Set<Peer>>();
  readonly #peers = new Set<Peer>();
  /** The ids under which the workers send: what comes back from the other machines is known by them. */
  readonly #senders = new Map<string, Peer>();
  readonly #upstream: BrokerLink | undefined;
  readonly #interest: Interest | undefined;
  #isUpstreamThere = false;

  /** `onError` is told what goes wrong with the link to the other machines. */
  constructor(upstream: BrokerLink | undefined, onError: (error: Error) => void) {
    this.#upstream = upstream;
    if (upstream === undefined) return;
    const interest = new Interest({
      ...UPSTREAM,
      link: upstream,
      isWanted: (channel) => this.#channels.has(channel),
      onGap: (channel) => this.#tellLost(channel),
      onChange: () => {},
      onError,
    });
    this.#interest = interest;
    upstream.connect({
      onMessage: (channel, message) => this.#fromUpstream(channel, message),
      onStatus: (status, error) => {
        this.#isUpstreamThere = status === 'connected';
        for (const peer of this.#peers) this.#tellReach(peer);
        if (error !== undefined) onError(error);
        if (status === 'connected') interest.restore();
        else if (status === 'connecting') interest.suspend();
      },
      onLost: (channels) => interest.lost(channels),
      onError,
    });
  }

  /** Takes a worker that has connected. */
  connect(socket: Socket): void {
    const peer = new Peer(socket, (frame) => this.#take(peer, frame));
    this.#peers.add(peer);
    if (this.#upstream !== undefined) this.#tellReach(peer);
    socket.on('close', () => {
      this.#peers.delete(peer);
      for (const channel of peer.channels) this.#leave(peer, channel);
      if (peer.sender !== undefined) this.#senders.delete(peer.sender);
    });
  }

  /** Ends the link to the other machines. */
  async close(): Promise<void> {
    this.#interest?.close();
    await this.#upstream?.close();
  }

  #take(peer: Peer, { kind, id, channel, payload }: HubFrame): void {
    if (kind === KINDS.publish) this.#publish(peer, id, channel, payload);
    else if (kind === KINDS.subscribe) void this.#subscribe(peer, id, channel);
    else if (kind === KINDS.unsubscribe) {
      this.#leave(peer, channel);
      peer.answer(id);
    }
  }

  #tellReach(peer: Peer): void {
    peer.send(encodeFrame(KINDS.reach, 0, '', Uint8Array.of(this.#isUpstreamThere ? 1 : 0)));
  }

  #publish(peer: Peer, id: number, channel: string, message: Uint8Array): void {
    if (peer.sender === undefined) this.#learnSender(peer, message);
    this.#deliver(channel, message, peer);
    const upstream = this.#upstream;
    if (upstream === undefined) peer.answer(id);
    else if (!this.#isUpstreamThere)
      peer.answer(id, new BrokerError('There is no connection to the other machines'));
    else
      upstream.publish(channel, message).then(
        () => peer.answer(id),
        (error: unknown) => peer.answer(id, error ?? new BrokerError('The engine gave no reason')),
      );
  }

  #learnSender(peer: Peer, message: Uint8Array): void {
    peer.sender = senderOf(message);
    if (peer.sender !== undefined) this.#senders.set(peer.sender, peer);
  }

  #fromUpstream(channel: string, message: Uint8Array): void {
    const sender = senderOf(message);
    // One of ours, which has gone round.
    if (sender === undefined || !this.#senders.has(sender)) this.#deliver(channel, message, undefined);
  }

  /** Hands a message to the workers that want it, but not back to the one it came from. */
  #deliver(channel: string, message: Uint8Array, from: Peer | undefined): void {
    const wanting = this.#channels.get(channel);
    if (wanting === undefined || (wanting.size === 1 && from !== undefined && wanting.has(from))) return;
    const frame = encodeFrame(KINDS.message, 0, channel, message);
    for (const peer of wanting) if (peer !== from) peer.send(frame);
  }

  #tellLost(channel: string): void {
    const wanting = this.#channels.get(channel);
    if (wanting === undefined) return;
    const frame = encodeFrame(KINDS.lost, 0, channel);
    // Each asks for the channel again, and is answered at once: the other machines send it.
    for (const peer of wanting) peer.send(frame);
  }

  async #subscribe(peer: Peer, id: number, channel: string): Promise<void> {
    const wanting = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, wanting.add(peer));
    peer.channels.add(channel);
    try {
      await this.#interest?.want(channel);
      peer.answer(id);
    } catch (error) {
      this.#leave(peer, channel);
      peer.answer(id, error);
    }
  }

  #leave(peer: Peer, channel: string): void {
    peer.channels.delete(channel);
    const wanting = this.#channels.get(channel);
    if (wanting === undefined || !wanting.delete(peer) || wanting.size > 0) return;
    this.#channels.delete(channel);
    this.#interest?.release(channel);
  }
}
