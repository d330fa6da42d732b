import {
  AGRequest,
  type ChannelPayload,
  type CodecEngine,
  type ContractGuard,
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
  /** Checks what arrives, where there is a contract. */
  readonly guard: ContractGuard | undefined;
  /** Takes an answer; gives whether a call was ever made under its number. */
  takeAnswer(packet: ResponsePacket): boolean;
  /** Whether client and server agreed on an addition to the protocol. */
  knows(extension: string): boolean;
  /** The server will close, and wants to be left alone for so many milliseconds. */
  takeRetryHint(delayMs: number): void;
  /** From now on nothing is sent but answers, until the server has closed. */
  awaitClose(): void;
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
        else this.#deliver(message);
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
        } else {
          const error = new InvalidMessageError('No token data provided by #setAuthToken event');
          this.#target.emitError(error);
          this.#answer(packet, error);
        }
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
  #takeAddition(packet: EventPacket): boolean {
    const { event, data } = packet;
    const { subscriptions } = this.#target;
    if (event === '#gap' && this.#target.knows('gap')) {
      const gap = parseChannelPayload(data);
      const { dropped } = (data ?? {}) as { dropped?: unknown };
      if (gap === undefined || (dropped !== null && typeof dropped !== 'number'))
        this.#complain('sent a #gap without channel or number');
      else subscriptions.reportGap(gap.channel, dropped);
      return true;
    }
    if (event === '#retry' && this.#target.knows('retry')) {
      const { delayMs } = (data ?? {}) as { delayMs?: unknown };
      if (typeof delayMs !== 'number' || !(delayMs >= 0)) this.#complain('sent a #retry without a delay');
      else {
        this.#target.takeRetryHint(delayMs);
        if (packet.cid !== undefined) {
          this.#target.awaitClose();
          this.#answer(packet);
        }
      }
      return true;
    }
    return false;
  }

  #deliver({ channel: wireName, data }: ChannelPayload): void {
    const { subscriptions, guard } = this.#target;
    const name = subscriptions.nameOf(wireName);
    if (guard === undefined) subscriptions.deliver(name, data);
    else if (subscriptions.isWanted(name))
      guard.message(name, data, (message) => subscriptions.deliver(name, message));
  }

  #dispatch({ event, data, cid }: EventPacket): void {
    const face = this.#face;
    const { guard } = this.#target;
    if (cid !== undefined) {
      const request = new AGRequest(face, cid, event, data);
      const write = (): void => face.writeProcedure(event, request);
      if (guard !== undefined) guard.call(request, write);
      else if (face.hasProcedure(event)) write();
    } else if (guard === undefined) face.writeReceiver(event, data);
    else guard.event(event, data, (checked) => face.writeReceiver(event, checked));
  }

  #answer({ cid }: EventPacket, error?: Error): void {
    if (cid === undefined) return;
    this.#target.outbound.sendObject(
      error === undefined ? responsePacket(cid) : errorPacket(cid, dehydrateError(error)),
    );
  }

  #complain(what: string): void {
    this.#target.emitError(new ServerProtocolError(`The server ${what}`));
  }
}
