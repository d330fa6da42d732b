import type { DeliveryOptions } from './socket/socket-context.js';

/** What can be done to a user from another node, as it crosses the cluster. */
export type UserAction =
  | { readonly name: 'transmit'; readonly event: string; readonly data?: unknown }
  | { readonly name: 'deauthenticate'; readonly options?: DeliveryOptions | undefined }
  | {
      readonly name: 'kickOut';
      readonly channel?: string | readonly string[] | undefined;
      readonly message?: string | undefined;
    }
  | { readonly name: 'recheckTokens' }
  | { readonly name: 'disconnect'; readonly code?: number | undefined; readonly reason?: string | undefined };
