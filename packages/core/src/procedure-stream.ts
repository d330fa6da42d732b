import { DemuxedConsumableStream, type EachOptions } from '@socketcluster-ts/streams';
import { UnknownError } from './errors.js';
import type { AGRequest } from './request.js';

/**
 * Owns nothing but a name: the calls that the peer makes under it, as an async iterable.
 *
 * A loop answers each call itself, by `end()` or `error()`; a function given to `each()` answers by what it returns or
 * throws.
 *
 * @typeParam S - the socket
 * @typeParam T - the argument
 * @typeParam R - the result
 */
export class ProcedureStream<S = unknown, T = unknown, R = unknown> extends DemuxedConsumableStream<
  AGRequest<S, T, R>
> {
  /**
   * Answers each call with what a function returns, or its promise resolves to; a call that it answered itself is left
   * alone. When it throws, the error is the answer, and is emitted as well; the next call is served all the same.
   *
   * One call at a time, in order, unless `concurrency` allows more; calls with the same `key` stay in order. With
   * `onError` an error goes there instead of being emitted. After the call was aborted nothing is sent, and an error
   * that is the `reason` of `request.signal` is none.
   */
  override each(
    handler: (request: AGRequest<S, T, R>) => R | void | Promise<R | void>,
    options: EachOptions<AGRequest<S, T, R>> = {},
  ): Promise<void> {
    return super.each((request) => serve(request as AGRequest, handler as never), options);
  }
}

async function serve(request: AGRequest, handler: (request: AGRequest) => unknown): Promise<void> {
  try {
    const result = await handler(request);
    if (!mayAnswer(request)) return;
    request.end(result);
  } catch (error) {
    if (request.isAborted && error === request.signal.reason) return;
    // `undefined` and `null` would reach the peer as success.
    if (mayAnswer(request))
      request.error(error ?? new UnknownError(`The procedure ${request.procedure} failed`));
    throw error;
  }
}

/** Whether the answer is still to be given; nobody waits for the one of an aborted call. */
function mayAnswer(request: AGRequest): boolean {
  if (request.isAborted) request.sent = true;
  return !request.sent;
}
