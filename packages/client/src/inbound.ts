import {
  AGRequest,
  type CodecEngine,
  type ContractGuard,
  type EventPacket,
  InvalidMessageError,
  parseChannelPayload,
  parsePacket,
  ServerProtocolError,
} from '@socketcluster-ts/core';
import type { AuthState } from './auth-state.js';
import type { ClientContext, ClientFace } from './client-context.js';
import type { Outbound } from './outbound.js';
import type { Subscriptions } from './subscriptions.js';

/** What says a call of the server. */
type CallPacket = Pick<EventPacket, 'event' | 'data'> & { readonly cid: number };

/** The parts that inbound packets take effect on. */
export interface InboundTarget {
  readonly codec: CodecEngine;
  readonly outbound: Outbound;
  readonly auth: AuthState;
  readonly subscriptions: Subscriptions;
  /** Checks what arrives, where there is a contract. */
  readonly guard: ContractGuard | undefined;
  /** What is sent by it goes over the connection that there is now, or not at all. */
  answerer(): (packet: object) => void;
  /** Whether client and server agreed on an addition to the protocol. */
  knows(extension: string): boolean;
  /** The server will close, and wants to be left alone for so many milliseconds. */
  takeRetryHint(delayMs: number): void;
  /** From now on nothing is sent but answers, until the server has closed. */
  awaitClose(): void;
}

/**
 * Owns nothing: takes what the server sends, and has each packet take effect on the part it is for. Whatever a server
 * sends, nothing is thrown: what makes no sense is an `error` event, and the next packet is taken.
 */
export class Inbound {
  readonly #target: InboundTarget;
  readonly #context: ClientContext;

  constructor(target: InboundTarget, context: ClientContext) {
    this.#target = target;
    this.#context = context;
  }

  /** Takes one frame. A ping, which the transport has answered, is only shown to who listens. */
  accept(frame: unknown, isPing: boolean): void {
    const { face, emitError } = this.#context;
    if (face.hasListener('message')) face.emit('message', { message: frame });
    if (isPing) return;
    let value: unknown;
    try {
      value = this.#target.codec.decode(frame);
    } catch (cause) {
      emitError(new InvalidMessageError('A frame could not be decoded', { cause }));
      return;
    }
    for (const packet of Array.isArray(value) ? (value as unknown[]) : [value]) {
      try {
        this.#take(packet, frame);
      } catch (error) {
        emitError(error);
      }
    }
  }

  #take(value: unknown, frame: unknown): void {
    const packet = parsePacket(value);
    if (packet.kind === 'event') this.#takeEvent(packet);
    else if (packet.kind === 'raw') this.#context.face.emit('raw', { message: frame });
    else if (!this.#target.outbound.settle(packet))
      complain(`answered a call that was never made: ${packet.rid}`);
  }

  #takeEvent(packet: EventPacket): void {
    const { subscriptions, auth } = this.#target;
    const { event, data } = packet;
    const { channel, data: message } = parseChannelPayload(data) ?? {};
    const fields = (data ?? {}) as {
      token?: unknown;
      message?: unknown;
      dropped?: unknown;
      delayMs?: unknown;
    };
    if (event === '#publish') {
      if (channel === undefined) complain('published without the name of a channel');
      this.#deliver(channel, message);
    } else if (event === '#kickOut') {
      if (channel === undefined) complain('kicked out without the name of a channel');
      subscriptions.kickOut(channel, fields.message);
    } else if (event === '#setAuthToken') {
      const { token } = fields;
      if (typeof token !== 'string') {
        const error = new InvalidMessageError('No token data provided by #setAuthToken event');
        this.#answer(packet, error);
        throw error;
      }
      auth.enter(token);
      void auth.save(token);
      this.#answer(packet);
    } else if (event === '#removeAuthToken') {
      void auth.forget();
      auth.leave();
      this.#answer(packet);
    } else if (event === '#gap' && this.#target.knows('gap')) {
      const { dropped } = fields;
      if (channel === undefined || (dropped !== null && typeof dropped !== 'number'))
        complain('sent a #gap without channel or number');
      subscriptions.reportGap(channel, dropped);
    } else if (event === '#retry' && this.#target.knows('retry')) {
      const { delayMs } = fields;
      if (typeof delayMs !== 'number' || !(delayMs >= 0)) complain('sent a #retry without a delay');
      this.#target.takeRetryHint(delayMs);
      if (packet.cid !== undefined) this.#target.awaitClose();
      this.#answer(packet);
    } else this.#dispatch(packet);
  }

  #deliver(wireName: string, data: unknown): void {
    const { subscriptions, guard } = this.#target;
    const name = subscriptions.nameOf(wireName);
    if (!guard) subscriptions.deliver(name, data);
    else if (subscriptions.isWanted(name))
      guard.message(name, data, (message) => subscriptions.deliver(name, message));
  }

  #dispatch({ event, data, cid }: EventPacket): void {
    const { face } = this.#context;
    const { guard } = this.#target;
    if (cid !== undefined) {
      const request = new ServerCall(this.#target, face, { event, data, cid });
      const write = (): void => face.writeProcedure(event, request);
      if (guard) guard.call(request, write);
      else if (face.hasProcedure(event)) write();
    } else if (!guard) face.writeReceiver(event, data);
    else guard.event(event, data, (checked) => face.writeReceiver(event, checked));
  }

  #answer({ cid, event }: EventPacket, error?: Error): void {
    if (cid === undefined) return;
    const request = new ServerCall(this.#target, this.#context.face, { event, data: undefined, cid });
    if (!error) request.end();
    else request.error(error);
  }
}

/** A call of the server. It is answered over the connection that it came from, or not at all. */
class ServerCall extends AGRequest<ClientFace> {
  readonly #send: (packet: object) => void;

  constructor(target: InboundTarget, face: ClientFace, call: CallPacket) {
    super(face, call.cid, call.event, call.data);
    this.#send = target.answerer();
  }

  protected override send(packet: object): void {
    this.#send(packet);
  }
}

function complain(what: string): never {
  throw new ServerProtocolError(`The server ${what}`);
}
