/** What a URI is made of. */
export interface UriParts {
  readonly host?: string | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | string | undefined;
  readonly path: string;
  readonly secure: boolean;
  readonly protocolScheme?: string | null | undefined;
  readonly socketPath?: string | null | undefined;
  readonly query: string | Readonly<Record<string, unknown>>;
}

/**
 * The address a client connects to. `extraQuery` is one more parameter, for a timestamp.
 *
 * compat: the default port is left out when it is given as a number; as text it stays.
 */
export function socketUri(parts: UriParts, extraQuery?: readonly [string, string]): string {
  const { secure, port, socketPath } = parts;
  const scheme = parts.protocolScheme ?? (secure ? 'wss' : 'ws');
  const query = queryOf(parts.query, extraQuery);
  const path = query === '' ? parts.path : `${parts.path}?${query}`;
  if (socketPath) return `${scheme}://${socketPath}:${path}`;
  if (parts.host) return `${scheme}://${parts.host}${path}`;
  const isDefaultPort =
    port === undefined || port === null || port === '' || port === (scheme === 'wss' ? 443 : 80);
  return `${scheme}://${parts.hostname}${isDefaultPort ? '' : `:${port}`}${path}`;
}

function queryOf(query: UriParts['query'], extra: readonly [string, string] | undefined): string {
  const pairs: [string, string][] = extra === undefined ? [] : [[...extra]];
  if (typeof query === 'string') {
    return [query.replace(/^\?/, ''), String(new URLSearchParams(pairs))].filter(Boolean).join('&');
  }
  const given = Object.entries(query).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((each): [string, string] => [key, String(each)]),
  );
  return String(new URLSearchParams([...given, ...pairs]));
}
