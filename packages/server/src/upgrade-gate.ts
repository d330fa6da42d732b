import type { IncomingMessage } from 'node:http';
import { Deadline, type DeadlineQueue, ServerProtocolError, spawn } from '@socketcluster-ts/core';
import type { Admission, Refusal } from './admission/admission.js';
import type { UpgradeInfo, UpgradeVerdict } from './engine/engine.js';
import { AGAction } from './middleware/action.js';
import { type MiddlewareFunction, MiddlewareStream } from './middleware/middleware-stream.js';
import { runAction } from './middleware/run-action.js';
import { OriginPolicy } from './origin.js';

/** What the gate asks of the server. */
export interface GateOwner {
  readonly origins: string | readonly string[];
  readonly handshakeTimeout: number;
  readonly middlewareEmitFailures: boolean;
  readonly middlewareFunctions: { readonly handshake: MiddlewareFunction | undefined };
  readonly deadlines: DeadlineQueue;
  emitError(error: unknown): void;
  emitWarning(warning: unknown): void;
}

/** An upgrade request under way: its middleware stream hangs on it under this symbol. */
export const HANDSHAKE_STREAM: unique symbol = Symbol('handshakeStream');
type UpgradeRequest = IncomingMessage & { [HANDSHAKE_STREAM]?: MiddlewareStream };

/** An upgrade request whose middleware was asked. */
interface PendingUpgrade {
  readonly stream: MiddlewareStream;
  /** Monotonic time in ms. */
  readonly startedAt: number;
  /** Ends the middleware stream when the request goes away. */
  readonly onClose: () => void;
}

/** Owns the decision on upgrade requests: by the room there is, by origin, and by the handshake middleware. */
export class UpgradeGate {
  readonly #owner: GateOwner;
  readonly #admission: Admission;
  readonly #allowMissingOrigin: boolean;
  /** Only those that a middleware was asked about; the others are decided at once. */
  readonly #pending = new WeakMap<IncomingMessage, PendingUpgrade>();
  #policy: OriginPolicy;
  #originsOfPolicy: string | readonly string[];

  /** @throws {InvalidOptionsError} for origins that are none */
  constructor(owner: GateOwner, admission: Admission, allowMissingOrigin: boolean) {
    this.#owner = owner;
    this.#admission = admission;
    this.#allowMissingOrigin = allowMissingOrigin;
    this.#originsOfPolicy = owner.origins;
    this.#policy = new OriginPolicy(owner.origins, { allowMissingOrigin });
  }

  /** Whether no origin is refused. */
  get admitsEverybody(): boolean {
    return this.#policy.isOpen;
  }

  /**
   * Gives a verdict, once: yes, 429 or 503 when there is no room, 401 with the message of a middleware block, 403 for the
   * origin, 408 when the middleware took too long. None for a request that has gone away meanwhile.
   */
  judge(info: UpgradeInfo, verdict: UpgradeVerdict): void {
    const { req, origin } = info;
    if (refuseForRoom(verdict, this.#admission.refuse(req))) return;
    const isAdmitted = this.#admits(info);
    const middleware = this.#owner.middlewareFunctions.handshake;
    if (middleware === undefined) {
      if (isAdmitted) verdict(true);
      else this.#refuseOrigin(origin, verdict);
      return;
    }
    const decided = this.#admission.judging();
    spawn(
      async () => {
        const stream = await this.#ask(middleware, req, verdict).finally(decided);
        if (stream === undefined) return;
        if (isAdmitted && this.#admission.refusalForAll === undefined) {
          verdict(true);
          return;
        }
        stream.close();
        if (refuseForRoom(verdict, this.#admission.refusalForAll)) return;
        this.#refuseOrigin(origin, verdict);
      },
      (error) => {
        this.#owner.emitError(error);
        refuse(verdict, 500, 'Internal Server Error');
      },
    );
  }

  /** What is known of a request that was accepted; from now on its middleware stream belongs to the socket. */
  take(request: IncomingMessage): {
    readonly stream: MiddlewareStream | undefined;
    readonly spentMs: number;
  } {
    const pending = this.#pending.get(request);
    if (pending === undefined) return { stream: undefined, spentMs: 0 };
    this.#pending.delete(request);
    request.socket.off('close', pending.onClose);
    return { stream: pending.stream, spentMs: performance.now() - pending.startedAt };
  }

  #admits({ req, origin }: UpgradeInfo): boolean {
    const { origins } = this.#owner;
    if (this.#originsOfPolicy !== origins) {
      try {
        this.#policy = new OriginPolicy(origins, { allowMissingOrigin: this.#allowMissingOrigin });
        this.#originsOfPolicy = origins;
      } catch (error) {
        // Set to something unusable at run time: nobody gets in by accident.
        this.#owner.emitError(error);
        return false;
      }
    }
    // The headers are made when they are first asked for.
    if (this.#policy.isOpen) return true;
    return this.#policy.admits(origin ?? req.headers.origin, req.headers.host);
  }

  #refuseOrigin(origin: string | undefined, verdict: UpgradeVerdict): void {
    const shown = origin === undefined || origin === 'null' ? '*' : origin;
    const message = `Failed to authorize socket handshake - Invalid origin: ${shown.slice(0, 64)}`;
    this.#owner.emitWarning(new ServerProtocolError(message));
    refuse(verdict, 403, message);
  }

  /** Asks the handshake middleware and gives its stream if it says yes; otherwise the verdict has been given. */
  async #ask(
    middleware: MiddlewareFunction,
    request: UpgradeRequest,
    verdict: UpgradeVerdict,
  ): Promise<MiddlewareStream | undefined> {
    const { deadlines, handshakeTimeout, middlewareEmitFailures } = this.#owner;
    const stream = new MiddlewareStream('handshake');
    request[HANDSHAKE_STREAM] = stream;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      stream.kill();
    };
    this.#pending.set(request, { stream, startedAt: performance.now(), onClose: end });
    // A request that goes away must not leave the middleware waiting for ever.
    request.socket.once('close', end);
    const deadline = new Deadline(() => {
      end();
      refuse(verdict, 408, 'The handshake took too long');
    }, undefined);
    if (handshakeTimeout > 0 && handshakeTimeout !== Infinity) deadlines.schedule(deadline, handshakeTimeout);
    stream.start(middleware, (error) => this.#owner.emitWarning(error));
    const outcome = await runAction(stream, new AGAction(AGAction.HANDSHAKE_WS, { request }));
    deadlines.cancel(deadline);
    if (isOver) return undefined;
    if (outcome.allowed) return stream;
    stream.close();
    if (middlewareEmitFailures) this.#owner.emitWarning(outcome.cause);
    refuse(verdict, 401, messageOf(outcome.error));
    return undefined;
  }
}

/** Answers an upgrade request for which there is no room, if that is so. */
function refuseForRoom(verdict: UpgradeVerdict, refusal: Refusal | undefined): boolean {
  if (refusal === undefined) return false;
  const { status, message, retryAfterSeconds } = refusal;
  refuse(verdict, status, message, { 'Retry-After': String(retryAfterSeconds) });
  return true;
}

/** Answers an upgrade request with an HTTP error and the message as plain text. */
function refuse(
  verdict: UpgradeVerdict,
  status: number,
  message: string | undefined,
  headers?: Readonly<Record<string, string>>,
): void {
  verdict(false, status, message, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
}

function messageOf(error: unknown): string | undefined {
  const message: unknown =
    typeof error === 'string' ? error : (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : undefined;
}
