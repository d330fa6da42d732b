import type { MiddlewareType } from './action.js';
import { type MiddlewareFunction, MiddlewareStream } from './middleware-stream.js';

/** Says which middleware functions are set on the server at this moment. */
export interface MiddlewareFunctions {
  readonly handshake: MiddlewareFunction | undefined;
  readonly inboundRaw: MiddlewareFunction | undefined;
  readonly inbound: MiddlewareFunction | undefined;
  readonly outbound: MiddlewareFunction | undefined;
}

/** Told when a middleware function failed: the socket. */
export interface ErrorReporter {
  emitError(error: unknown): void;
}

/** Owns the middleware streams of one socket; each exists once somebody needs it. */
export class MiddlewareStreams {
  readonly #functions: MiddlewareFunctions;
  readonly #reporter: ErrorReporter;
  #streams: Partial<Record<MiddlewareType, MiddlewareStream>> | undefined;

  constructor(functions: MiddlewareFunctions, reporter: ErrorReporter) {
    this.#functions = functions;
    this.#reporter = reporter;
  }

  /** Takes over the stream on which the handshake middleware has been running since the upgrade request. */
  adopt(stream: MiddlewareStream): void {
    (this.#streams ??= {})[stream.type] = stream;
  }

  /** The stream of that line, whether or not a function is set. */
  stream(type: MiddlewareType): MiddlewareStream {
    const streams = (this.#streams ??= {});
    return (streams[type] ??= new MiddlewareStream(type));
  }

  /**
   * The stream whose middleware has to be asked now, or `undefined` when none is set.
   *
   * The function is started here when that has not happened for this socket yet, so a function set after the
   * socket connected sees its next action. One that replaces another gets a stream of its own; the loop of the
   * old one is ended.
   */
  line(type: MiddlewareType): MiddlewareStream | undefined {
    const middleware = this.#functions[type];
    if (middleware === undefined) return undefined;
    const streams = (this.#streams ??= {});
    const current = streams[type];
    if (current?.middleware === middleware) return current;
    const stream = current === undefined || current.middleware === undefined ? current : undefined;
    if (stream === undefined) current?.close();
    const line = (streams[type] = stream ?? new MiddlewareStream(type));
    line.start(middleware, (error) => this.#reporter.emitError(error));
    return line;
  }

  /** Lets the middleware of that line finish, then ends its loop. */
  close(type: MiddlewareType): void {
    this.#streams?.[type]?.close();
  }

  closeAll(): void {
    for (const stream of Object.values(this.#streams ?? {})) stream.close();
  }

  killAll(): void {
    for (const stream of Object.values(this.#streams ?? {})) stream.kill();
  }
}
