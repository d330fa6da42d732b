import type { RequestTarget, RpcHost } from '@socketcluster-ts/core';
import type { ClientEvents } from './client-events.js';
import type { ClientSettings, InvokeOptions } from './client-options.js';
import type { Environment } from './environment.js';
import type { ClientAuthEngine } from './token-store.js';

/** What the parts of a client know of its public face. */
export interface ClientFace
  extends Pick<
      RpcHost<ClientEvents>,
      'emit' | 'handlerFailed' | 'hasListener' | 'writeReceiver' | 'hasProcedure' | 'writeProcedure'
    >,
    RequestTarget {
  /** Replaceable by the application, so it is read at each use. */
  readonly auth: ClientAuthEngine;
  transmit(event: string, data?: unknown): Promise<void>;
  invoke(event: string, data?: unknown, options?: InvokeOptions): Promise<unknown>;
}

/** What all parts of one client share. */
export interface ClientContext {
  readonly face: ClientFace;
  readonly environment: Environment;
  /** Changes when the client connects with new options. */
  readonly settings: ClientSettings;
  /** Emits an `error` event. */
  readonly emitError: (error: unknown) => void;
}
