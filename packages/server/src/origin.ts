import { InvalidOptionsError } from '@socketcluster-ts/core';

/** Which requests an {@link OriginPolicy} judges specially. */
export interface OriginPolicyOptions {
  /** Admit requests without an `Origin` header, which browsers always send. */
  readonly allowMissingOrigin: boolean;
}

const ENTRY = /^(?:(https?):\/\/)?(\*|\[[^\]]*\]|[^:/?#@\s]+)(?::(\*|\d{1,5}))?\/?$/i;
/** The entry for the host that the request itself names. */
const SELF = 'self';

interface Entry {
  readonly scheme: string | undefined;
  readonly host: string;
  readonly port: string;
}

/**
 * Owns the list of origins that may connect.
 *
 * An entry is `host:port`, `host:*`, `*:port` or `*:*`, and matches any scheme; with `http://` or `https://` in front
 * it matches that scheme only. Hosts are compared whole and without regard to case. A request without an origin is
 * admitted by `*:*`, by `*:80` and by `allowMissingOrigin`.
 */
export class OriginPolicy {
  /** Whether every origin is admitted. */
  readonly isOpen: boolean;
  readonly #entries: readonly Entry[];
  readonly #allowMissingOrigin: boolean;
  readonly #admitsSelf: boolean;

  /** @throws {InvalidOptionsError} for an entry that is none of the above */
  constructor(origins: string | readonly string[], options: OriginPolicyOptions) {
    const list =
      typeof origins === 'string' ? origins.split(/[\s,]+/).filter((entry) => entry !== '') : origins;
    this.#admitsSelf = list.includes(SELF);
    this.#entries = list.filter((entry) => entry !== SELF).map(parseEntry);
    this.#allowMissingOrigin = options.allowMissingOrigin;
    this.isOpen = this.#entries.some(
      ({ scheme, host, port }) => scheme === undefined && host === '*' && port === '*',
    );
  }

  /** Judges the value of an `Origin` header, where `'null'` counts as none, beside that of the `Host` header. */
  admits(origin: string | undefined, requestHost: string | undefined): boolean {
    if (this.isOpen) return true;
    if (origin === undefined || origin === 'null') {
      return (
        this.#allowMissingOrigin || this.#entries.some(({ host, port }) => host === '*' && port === '80')
      );
    }
    const parsed = parseOrigin(origin);
    if (parsed === undefined) return false;
    if (this.#admitsSelf && isSameHost(parsed, requestHost)) return true;
    return this.#entries.some(
      ({ scheme, host, port }) =>
        (scheme === undefined || scheme === parsed.scheme) &&
        (host === '*' || host === parsed.host) &&
        (port === '*' || port === parsed.port),
    );
  }
}

function parseEntry(entry: unknown): Entry {
  const match = typeof entry === 'string' ? ENTRY.exec(entry) : null;
  const host = match === null ? undefined : hostOf(match[2] as string);
  if (match === null || host === undefined || (match[1] === undefined && match[3] === undefined)) {
    throw new InvalidOptionsError(
      `Each entry of the origins option must be host:port, host:*, *:port or *:*, with or without http(s):// in front, or self - Got ${JSON.stringify(entry)?.slice(0, 64)}`,
    );
  }
  const scheme = match[1]?.toLowerCase();
  // An origin is written without the port that belongs to its scheme.
  const port = match[3] ?? (scheme === undefined ? '*' : defaultPort(scheme));
  return { scheme, host, port };
}

/** A host as browsers write it in an origin: in lower case, `münchen.example` as `xn--mnchen-3ya.example`. */
function hostOf(text: string): string | undefined {
  return text === '*' ? text : parseOrigin(`http://${text}`)?.host;
}

function isSameHost({ scheme, host, port }: Entry, requestHost: string | undefined): boolean {
  const own = parseOrigin(`${scheme}://${requestHost ?? ''}`);
  return own !== undefined && own.host === host && own.port === port;
}

function parseOrigin(origin: string): Entry | undefined {
  let url: URL;
  try {
    url = new URL(origin);
  } catch {
    return undefined;
  }
  const scheme = url.protocol.slice(0, -1);
  if ((scheme !== 'http' && scheme !== 'https') || url.username !== '' || url.password !== '')
    return undefined;
  return { scheme, host: url.hostname, port: url.port || defaultPort(scheme) };
}

function defaultPort(scheme: string): string {
  return scheme === 'https' ? '443' : '80';
}
