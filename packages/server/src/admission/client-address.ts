import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';
import { withoutMapping } from '../limits/address-key.js';

/** The entry for proxies that connect over a Unix domain socket. */
const UNIX = 'unix';

/** Whether an entry of `trustedProxies` is an address, a network such as `10.0.0.0/8`, or `unix`. */
export function isProxyEntry(entry: unknown): entry is string {
  if (typeof entry !== 'string') return false;
  if (entry === UNIX) return true;
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

/**
 * Owns the list of the proxies whose `X-Forwarded-For` is believed.
 *
 * A header that comes from anybody else is what a client made up, so it is not looked at.
 */
export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #trustsUnix: boolean;
  readonly #isEmpty: boolean;

  /** @param entries what {@link isProxyEntry} accepts */
  constructor(entries: readonly string[]) {
    this.#isEmpty = entries.length === 0;
    this.#trustsUnix = entries.includes(UNIX);
    for (const entry of entries) {
      if (entry === UNIX) continue;
      const [address = '', prefix] = entry.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (prefix === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(prefix), family);
    }
  }

  /**
   * The address that a trusted proxy reports for the client of a request: the last one in `X-Forwarded-For` that is no
   * trusted proxy itself. `undefined` when the peer is no trusted proxy, or reports nothing that is an address.
   */
  forwardedFor(request: IncomingMessage): string | undefined {
    if (this.#isEmpty || !this.#trusts(peerAddress(request))) return undefined;
    let client: string | undefined;
    for (const text of forwardedAddresses(request).toReversed()) {
      const address = plainAddress(text);
      if (address === undefined) return client;
      client = address;
      if (!this.#trusts(address)) return client;
    }
    return client;
  }

  /** The address that counts as the client's; `undefined` for a peer without one. */
  clientAddress(request: IncomingMessage): string | undefined {
    return this.forwardedFor(request) ?? peerAddress(request);
  }

  #trusts(address: string | undefined): boolean {
    if (address === undefined) return this.#trustsUnix;
    const family = isIP(address);
    return family !== 0 && this.#networks.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

function peerAddress(request: IncomingMessage): string | undefined {
  // Engines other than `ws` may put it on the request.
  const { remoteAddress } = (request.socket ?? request) as { remoteAddress?: string };
  return remoteAddress === undefined ? undefined : withoutMapping(remoteAddress);
}

function forwardedAddresses(request: IncomingMessage): string[] {
  const header = request.headers['x-forwarded-for'];
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text === '' ? [] : text.split(',');
}

/** An address as proxies write it: with white space around it, in brackets, with a port. */
function plainAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
  return isIP(bare) === 0 ? undefined : withoutMapping(bare);
}
