import { isIPv4 } from 'node:net';

/**
 * What is counted as one client: an IPv4 address, or the /64 network of an IPv6 address, of which one customer has as
 * many addresses as he likes.
 */
export function addressKey(address: string): string {
  const plain = withoutMapping(address);
  if (isIPv4(plain)) return plain;
  const [front = '', back] = (plain.split('%')[0] ?? '').split('::');
  const groups = front === '' ? [] : front.split(':');
  if (back !== undefined) {
    const after = back === '' ? 0 : back.split(':').length;
    while (groups.length + after < 8) groups.push('0');
    if (back !== '') groups.push(...back.split(':'));
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** A server that listens for both families sees IPv4 clients as `::ffff:192.0.2.1`. */
export function withoutMapping(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}
