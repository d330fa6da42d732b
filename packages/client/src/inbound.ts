import {
  AGRequest,
  type CodecEngine,
  dehydrateError,
  type EventPacket,
  errorPacket,
  InvalidMessageError,
  parseChannelPayload,
  parsePacket,
  type ResponsePacket,
  responsePacket,
  ServerProtocolError,
} from '@socketcluster-ts/core';
import type { AuthState } from './auth-state.js';
import type { ClientFace } from './client-context.js';
import type { Outbound } from './outbound.js';
import type { Subscriptions } from './subscriptions.js';

/** The parts that inbound packets take effect on. */
export interface InboundTarget {
  readonly codec: CodecEngine;
  readonly outbound: Outbound;
  readonly auth: AuthState;
  readonly subscriptions: Subscriptions;
  /** Takes an answer; gives whether a call was ever made under its number. */
  takeAnswer(packet: ResponsePacket): boolean;
  /** Whether client and server agreed on an addition to the protocol. */
  knows(extension: string): boolean;
  /** The server will close, and wants to be left alone for so many milliseconds. */
  takeRetryHint(delayMs: number): void;
  emitError(error: unknown): void;
}

/**
 * Owns nothing: takes what the server sends, and has each packet take effect on the part it is for. Whatever a server
 * sends, nothing is thrown: what makes no sense is an `error` event, and the next packet is taken.
 */
export class Inbound {
  readonly #target: InboundTarget;
  readonly #face: ClientFace;

  constructor(target: InboundTarget, face: ClientFace) {
    this.#target = target;
    this.#face = face;
  }

  /** Takes one frame. A ping, which the transport has answered, is only shown to who listens. */
  accept(frame: unknown, isPing: boolean): void {
    const { codec } = this.#target;
    if (this.#face.hasListener('message')) this.#face.emit('message', { message: frame });
    if (isPing) return;
    let value: unknown;
    try {
      value = codec.decode(frame);
    } catch (error) {
      this.#target.emitError(new InvalidMessageError('A frame could not be decoded', { cause: error }));
      return;
    }
    for (const packet of Array.isArray(value) ? (value as unknown[]) : [value]) this.#take(packet, frame);
  }

  #take(value: unknown, frame: unknown): void {
    try {
      const packet = parsePacket(value);
      if (packet.kind === 'event') this.#takeEvent(packet);
      else if (packet.kind === 'raw') this.#face.emit('raw', { message: frame });
      else if (!this.#target.takeAnswer(packet))
        this.#complain(`answered a call that was never made: ${packet.rid}`);
    } catch (error) {
      this.#target.emitError(error);
    }
  }

  #takeEvent(packet: EventPacket): void {
    const { subscriptions, auth } = this.#target;
    const { event, data } = packet;
    switch (event) {
      case '#publish': {
        const message = parseChannelPayload(data);
        if (message === undefined) this.#complain('published without the name of a channel');
        else subscriptions.deliver(message.channel, message.data);
        return;
      }
      case '#kickOut': {
        const kick = parseChannelPayload(data);
        if (kick === undefined) this.#complain('kicked out without the name of a channel');
        else subscriptions.kickOut(kick.channel, (data as { message?: unknown }).message);
        return;
      }
      case '#setAuthToken': {
        const { token } = (data ?? {}) as { token?: unknown };
        if (typeof token === 'string') {
          auth.enter(token);
          void auth.save(token);
          this.#answer(packet);
        } else this.#answer(packet, new InvalidMessageError('No token data provided by #setAuthToken event'));
        return;
      }
      case '#removeAuthToken':
        void auth.forget();
        auth.leave();
        this.#answer(packet);
        return;
      default:
        if (!this.#takeAddition(packet)) this.#dispatch(packet);
    }
  }

  /** What is no part of the protocol of `socketcluster-client`, if it was agreed upon. */
  #takeAddition({ event, data }: EventPacket): boolean {
    const { subscriptions } = this.#target;
    if (event === '#gap' && this.#target.knows('gap')) {
      const gap = parseChannelPayload(data);
      const { dropped } = (data ?? {}) as { dropped?: unknown };
      if (gap === undefined || typeof dropped !== 'number')
        this.#complain('sent a #gap without channel or number');
      else subscriptions.reportGap(gap.channel, dropped);
      return true;
    }
    if (event === '#retry' && this.#target.knows('retry')) {
      const { delayMs } = (data ?? {}) as { delayMs?: unknown };
      if (typeof delayMs !== 'number' || !(delayMs >= 0)) this.#complain('sent a #retry without a delay');
      else this.#target.takeRetryHint(delayMs);
      return true;
    }
    return false;
  }

  #dispatch({ event, data, cid }: EventPacket): void {
    const face = this.#face;
    if (cid === undefined) face.writeReceiver(event, data);
    else if (face.hasProcedure(event)) face.writeProcedure(event, new AGRequest(face, cid, event, data));
  }

  #answer({ cid }: EventPacket, error?: Error): void {
    if (error !== undefined) this.#target.emitError(error);
    if (cid === undefined) return;
    this.#target.outbound.sendObject(
      error === undefined ? responsePacket(cid) : errorPacket(cid, dehydrateError(error)),
    );
  }

  #complain(what: string): void {
    this.#target.emitError(new ServerProtocolError(`The server ${what}`));
  }
}
