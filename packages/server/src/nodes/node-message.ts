import type { NodeLoad } from '../exchange/cluster-line.js';

/** What nodes tell each other. */
export type NodeMessage =
  /** I am here, for some time from now on; with `hello`, tell me of yourself. */
  | { readonly type: 'beat'; readonly load: NodeLoad; readonly hello?: boolean }
  /** I am going. */
  | { readonly type: 'bye' }
  /** A question; answered with its id. */
  | { readonly type: 'ask'; readonly id: number; readonly kind: string; readonly data?: unknown }
  /** The answer: data, or why there is none. */
  | { readonly type: 'answer'; readonly id: number; readonly data?: unknown; readonly error?: string };

/** What came from another node as a message; `undefined` for anything else, such as that of a newer version. */
export function parseNodeMessage(value: unknown): NodeMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, id, kind, data, error, hello, load } = value as Record<string, unknown>;
  switch (type) {
    case 'beat':
      return { type, load: parseLoad(load), hello: hello === true };
    case 'bye':
      return { type };
    case 'ask':
      return typeof id === 'number' && typeof kind === 'string' ? { type, id, kind, data } : undefined;
    case 'answer':
      if (typeof id !== 'number') return undefined;
      return typeof error === 'string' ? { type, id, error } : { type, id, data };
    default:
      return undefined;
  }
}

function parseLoad(value: unknown): NodeLoad {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const count = (name: keyof NodeLoad): number => {
    const figure = given[name];
    return typeof figure === 'number' && Number.isFinite(figure) ? figure : 0;
  };
  return {
    clients: count('clients'),
    users: count('users'),
    channels: count('channels'),
    rssBytes: count('rssBytes'),
    cpu: count('cpu'),
  };
}
