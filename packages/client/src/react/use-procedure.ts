import { AbortError, type AnyContract, type DataArguments } from '@socketcluster-ts/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { InvokeOptions } from '../client-options.js';
import type { AGClientSocket } from '../client-socket.js';

type Argument<C extends AnyContract, N extends string> = C['types']['procedures'][N]['argument']['input'];
type Result<C extends AnyContract, N extends string> = C['types']['procedures'][N]['result']['output'];

/** What may be said about one call of `useProcedure()`; it has a signal of its own. */
export type CallOptions = Omit<InvokeOptions, 'signal'>;

/** How the calls of `useProcedure()` stand. */
export interface CallStatus<R> {
  /** Whether a call waits for its answer. */
  readonly isPending: boolean;
  /** What the last call that succeeded was answered with; stays while the next one is pending. */
  readonly result: R | undefined;
  /** Why the last call failed; `undefined` when it succeeded, and while one is pending. */
  readonly error: unknown;
}

/** What {@link useProcedure} gives. */
export interface Procedure<C extends AnyContract, N extends string> extends CallStatus<Result<C, N>> {
  /**
   * Calls the procedure, and gives up the call before, if that waits still. Gives a promise of the answer, which rejects
   * as `invoke()` does; it may be left alone, since `error` tells the same. Always the same function for a socket and a
   * name.
   */
  readonly call: (...data: DataArguments<Argument<C, N>, [options?: CallOptions]>) => Promise<Result<C, N>>;
  /** Gives up the call that waits, if there is one; that is no error. */
  readonly abort: () => void;
}

const IDLE = { isPending: false, result: undefined, error: undefined };

/**
 * Calls a procedure of the server from a component. The call that waits for its answer is given up by the next one,
 * when the component is unmounted, and when the socket or the name changes: its promise rejects with an `AbortError`,
 * and a server that knows how stops working on it.
 */
export function useProcedure<C extends AnyContract, N extends keyof C['types']['procedures'] & string>(
  socket: AGClientSocket<C>,
  name: N,
): Procedure<C, N> {
  const untyped = socket as unknown as AGClientSocket;
  const current = useRef<AbortController>(undefined);
  // Tagged by what it is about: nothing is shown of another procedure.
  const [{ of, ...status }, setStatus] = useState<CallStatus<unknown> & { of?: unknown }>(IDLE);
  const abort = useCallback(() => {
    if (current.current === undefined) return;
    current.current.abort(new AbortError('The call was given up'));
    current.current = undefined;
    setStatus((before) => ({ ...before, isPending: false }));
  }, []);
  const call = useCallback(
    (data?: unknown, options?: CallOptions): Promise<unknown> => {
      abort();
      const controller = (current.current = new AbortController());
      const isCurrent = (): boolean => current.current === controller;
      const promise = untyped.invoke(name, data, { ...options, signal: controller.signal });
      setStatus((before) => ({
        of: call,
        isPending: true,
        result: before.of === call ? before.result : undefined,
        error: undefined,
      }));
      const settle = (outcome: object): void => {
        if (!isCurrent()) return;
        current.current = undefined;
        setStatus((before) => ({ ...before, isPending: false, ...outcome }));
      };
      promise.then(
        (result) => settle({ result }),
        (error: unknown) => settle({ error }),
      );
      return promise;
    },
    [untyped, name, abort],
  );
  useEffect(() => abort, [call, abort]);
  return { ...(of === call ? status : IDLE), call, abort };
}
