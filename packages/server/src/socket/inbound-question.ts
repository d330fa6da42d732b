import type { EventPacket } from '@socketcluster-ts/core';
import type { AGAction } from '../middleware/action.js';
import type { Verdict, VerdictReceiver } from '../middleware/verdict.js';
import type { Connection } from './connection.js';
import { failCall } from './fail-call.js';

/** What a packet does once nothing stands in its way, with the payload to do it with. */
export type PacketEffect = (
  connection: Connection,
  packet: EventPacket,
  data: unknown,
  channel: string,
) => Promise<void> | undefined;

/** Who goes on when a packet is over. */
export interface PacketQueue {
  onPacketDone(): void;
  onPacketFailed(error: unknown): void;
}

/**
 * Owns one packet that waits for the verdict of the inbound middleware.
 *
 * An object of its own instead of an async function: a promise, with what it takes to wait for it, costs more than
 * everything else that is done for such a packet.
 */
export class InboundQuestion implements VerdictReceiver {
  /** Told when the packet is over. */
  queue: PacketQueue | undefined;
  readonly #connection: Connection;
  readonly #packet: EventPacket;
  readonly #effect: PacketEffect;
  readonly #channel: string;

  constructor(connection: Connection, packet: EventPacket, effect: PacketEffect, channel: string = '') {
    this.#connection = connection;
    this.#packet = packet;
    this.#effect = effect;
    this.#channel = channel;
  }

  /** Asks the middleware if one is set, else has the effect at once; gives what has to be waited for. */
  ask(action: AGAction): Promise<void> | InboundQuestion | undefined {
    const stream = this.#connection.middleware.line('inbound');
    if (stream === undefined) return this.#haveEffect(action.data);
    stream.judge(action, this);
    return this;
  }

  onVerdict(verdict: Verdict): void {
    let pending: Promise<void> | undefined;
    try {
      pending = verdict.allowed ? this.#haveEffect(verdict.data) : this.#refuse(verdict);
    } catch (error) {
      this.queue?.onPacketFailed(error);
      return;
    }
    if (pending === undefined) this.queue?.onPacketDone();
    else {
      pending.then(
        () => this.queue?.onPacketDone(),
        (error: unknown) => this.queue?.onPacketFailed(error),
      );
    }
  }

  #haveEffect(data: unknown): Promise<void> | undefined {
    return this.#effect(this.#connection, this.#packet, data, this.#channel);
  }

  #refuse({ cause, error }: Verdict & { allowed: false }): undefined {
    const { socket, server } = this.#connection;
    if (server.middlewareEmitFailures) socket.emitError(cause);
    failCall(this.#connection, this.#packet.cid, error);
  }
}

/** A promise for what a packet waits for, where something else is awaited before it anyway. */
export function whenDone(pending: Promise<void> | InboundQuestion | undefined): Promise<void> | undefined {
  if (!(pending instanceof InboundQuestion)) return pending;
  return new Promise((resolve, reject) => {
    pending.queue = { onPacketDone: resolve, onPacketFailed: reject };
  });
}
