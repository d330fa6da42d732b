/** What a URI is made of. */
export interface UriParts {
  readonly host?: string | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | string | undefined;
  readonly path: string;
  readonly secure: boolean;
  readonly protocolScheme?: string | null | undefined;
  readonly socketPath?: string | null | undefined;
  readonly query?: string | Readonly<Record<string, unknown>> | null | undefined;
  readonly timestampRequests: boolean;
  readonly timestampParam: string;
}

/**
 * The address a client connects to, at this time.
 *
 * compat: the default port is left out when it is given as a number; as text it stays.
 */
export function socketUri(parts: UriParts, now: number): string {
  const { secure, port, socketPath, hostname } = parts;
  const scheme = parts.protocolScheme ?? (secure ? 'wss' : 'ws');
  const isDefaultPort = !port || port === (scheme === 'wss' ? 443 : 80);
  const host = parts.host ?? (isDefaultPort ? hostname : `${hostname}:${port}`);
  const query = queryOf(parts, String(now));
  return `${scheme}://${socketPath ? `${socketPath}:` : host}${parts.path}${query && `?${query}`}`;
}

function queryOf({ query, timestampRequests, timestampParam }: UriParts, now: string): string {
  const isText = typeof query === 'string';
  const pairs = Object.entries(isText ? {} : (query ?? {})).flatMap(([key, value]) =>
    [value].flat().map((each): [string, string] => [key, String(each)]),
  );
  if (timestampRequests) pairs.push([timestampParam, now]);
  const given = isText ? query.replace(/^\?/, '') : '';
  return [given, String(new URLSearchParams(pairs))].filter(Boolean).join('&');
}
