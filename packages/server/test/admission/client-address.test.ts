import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { isProxyEntry, TrustedProxies } from '../../src/admission/client-address.js';
import { addressKey } from '../../src/limits/address-key.js';

function request(remoteAddress: string | undefined, forwardedFor?: string | string[]): IncomingMessage {
  const made = new IncomingMessage({ remoteAddress } as Socket);
  if (forwardedFor !== undefined) made.headers['x-forwarded-for'] = forwardedFor as string;
  return made;
}

describe('the address of a client', () => {
  const table: [
    proxies: string[],
    peer: string | undefined,
    header: string | undefined,
    expected: string | undefined,
  ][] = [
    [[], '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    [['10.0.0.1'], '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    [['10.0.0.1'], '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
    [['10.0.0.0/8'], '10.1.2.3', undefined, '10.1.2.3'],
    [['10.0.0.0/8'], '10.1.2.3', '', '10.1.2.3'],
    // What the client itself wrote stands on the left.
    [['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    [['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    [['10.0.0.0/8'], '10.1.2.3', '10.7.7.7, 10.9.9.9', '10.7.7.7'],
    [['10.0.0.0/8'], '10.1.2.3', '198.51.100.1, unknown', '10.1.2.3'],
    [['10.0.0.0/8'], '10.1.2.3', '198.51.100.1, unknown, 10.9.9.9', '10.9.9.9'],
    [['10.0.0.0/8'], '10.1.2.3', '198.51.100.1:4711', '198.51.100.1'],
    [['fd00::/8'], 'fd00::1', '[2001:db8::1]:4711', '2001:db8::1'],
    [['fd00::/8'], 'fd00::1', '2001:db8::1', '2001:db8::1'],
    [['unix'], undefined, '198.51.100.1', '198.51.100.1'],
    [['10.0.0.0/8'], undefined, '198.51.100.1', undefined],
  ];
  test.for(table)(
    'trusting %j, of the peer %s that reports %j, is %s',
    ([proxies, peer, header, expected]) => {
      expect(new TrustedProxies(proxies).clientAddress(request(peer, header))).toBe(expected);
    },
  );

  property.prop([fc.string(), fc.string()])('is never what somebody made up', (made, other) => {
    const proxies = new TrustedProxies(['10.0.0.0/8']);
    expect(proxies.clientAddress(request('192.0.2.1', made))).toBe('192.0.2.1');
    expect(proxies.clientAddress(request('10.0.0.1', `${made},${other},198.51.100.1`))).toBe('198.51.100.1');
  });
});

describe('what counts as one address', () => {
  test.for([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ] as const)('of %s is %s', ([address, key]) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('trustedProxies', () => {
  test.for(['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', 'unix', '0.0.0.0/0'])('takes %s', (entry) => {
    expect(isProxyEntry(entry)).toBe(true);
  });

  test.for(['', 'localhost', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', 7, null])(
    'refuses %s',
    (entry) => {
      expect(isProxyEntry(entry)).toBe(false);
    },
  );
});
