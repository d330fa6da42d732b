import { createServer } from 'node:http';
import { isOracleMode, ours, type ServerOptions, serverModule } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const { AGServer, AGSimpleBroker, attach, listen } = serverModule;

/** Makes a server with one option. */
function serverWith(option: string, value: unknown): InstanceType<typeof AGServer> {
  return attach(createServer(), { [option]: value });
}

/** What making a server throws; fails if it throws nothing. */
function refusalOf(make: () => unknown): { name: string; message: string } {
  try {
    make();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
}

/** How a value is written in a title and searched in a message. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'function') return 'function';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object' && value !== null) return 'object';
  return String(value);
}

const NOT_BOOLEAN = [0, 1, 'true', {}];
const NOT_DURATION = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '10000', true, {}];

/** Values that an option refuses, and a part of what its error says is allowed. */
const BAD_VALUES: [option: string, allowed: RegExp, values: unknown[]][] = [
  ['wsEngine', /module/, ['', 17, true, []]],
  ['wsEngineServerOptions', /object/, ['fast', 1, true]],
  ['authDefaultExpiry', /seconds/, ['whenever', 1.5, true]],
  ['authAlgorithm', /HS256.*RS256.*ES256/, ['HS1', 'none', 'hs256', 256]],
  ['authVerifyAlgorithms', /array of .*HS256/, ['HS256', ['none'], ['HS256', 1]]],
  ['authEngine', /verifyToken/, ['jwt', {}, { signToken: () => '' }, true]],
  ['codecEngine', /encode.*decode/, ['json', {}, { encode: () => '' }, true]],
  ['brokerEngine', /exchange.*invokePublish/, ['redis', {}, true, { exchange: () => ({}) }]],
  ['perMessageDeflate', /true.*false.*object/, [1, 'yes', []]],
  ['maxPayload', /bytes.*null/, [-1, Number.NaN, '1mb', true, {}]],
  ['handleProtocols', /function/, ['chat', {}, true]],
  ['protocolVersion', /1 or 2/, [0, 3, '2', 1.5, true, {}]],
  ['handshakeTimeout', /milliseconds/, [-1, Number.NaN, 2 ** 31, '10000', true, {}]],
  ['ackTimeout', /milliseconds/, NOT_DURATION],
  ['origins', /string.*array/, ['', [], [1], 1, true, {}]],
  ['allowMissingOrigin', /true or false/, NOT_BOOLEAN],
  ['socketChannelLimit', /number.*false.*null/, [-1, Number.NaN, '1000', true, {}]],
  ['pingInterval', /milliseconds/, NOT_DURATION],
  ['pingTimeout', /milliseconds/, NOT_DURATION],
  ['pingTimeoutDisabled', /true or false/, NOT_BOOLEAN],
  ['middlewareEmitFailures', /true or false/, NOT_BOOLEAN],
  ['path', /\/.*null/, ['socketcluster', '', 1, true, {}]],
  ['allowClientPublish', /true or false/, NOT_BOOLEAN],
  ['batchOnHandshake', /true or false/, NOT_BOOLEAN],
  ['batchOnHandshakeDuration', /milliseconds/, NOT_DURATION],
  ['batchInterval', /milliseconds/, NOT_DURATION],
  ['socketStreamCleanupMode', /kill.*close.*none/, ['destroy', 'KILL', '', 0, true, {}]],
  ['strictHandshake', /true or false/, NOT_BOOLEAN],
  ['cloneData', /true or false/, NOT_BOOLEAN],
  ['requestCreator', /function/, ['AGRequest', {}, true]],
  ['sourcePort', /65535/, [-1, 65_536, 80.5, '80', true]],
  ['secure', /true or false/, NOT_BOOLEAN],
  ['host', /string/, [1, true, {}]],
];

describe('a bad value', () => {
  for (const [option, allowed, values] of BAD_VALUES) {
    for (const value of values) {
      ours(
        `option \`${option}\`: ${JSON.stringify(value) ?? 'function'} (${shown(value)}) is refused`,
        () => {
          const { name, message } = refusalOf(() => serverWith(option, value));
          expect(name).toBe('InvalidOptionsError');
          expect(message).toContain(`The ${option} option`);
          expect(message).toMatch(allowed);
          const given = message.split(' - Got ').at(-1) ?? '';
          if (typeof value === 'object') expect(given).not.toBe('');
          else expect(given).toContain(String(value));
        },
      );
    }
  }

  ours('the error tells what was given', () => {
    expect(refusalOf(() => serverWith('protocolVersion', 3)).message).toBe(
      'The protocolVersion option must be 1 or 2 - Got 3',
    );
    expect(refusalOf(() => serverWith('socketStreamCleanupMode', 'destroy')).message).toContain(
      'Got "destroy"',
    );
    expect(refusalOf(() => serverWith('authAlgorithm', 'HS1')).message).toContain('Got "HS1"');
    expect(refusalOf(() => serverWith('pingTimeout', -5)).message).toContain('Got -5');
    expect(refusalOf(() => serverWith('authDefaultExpiry', 'whenever')).message).toContain('Got "whenever"');
  });

  ours('option `origins`: an entry that is no origin is refused and quoted', () => {
    const { name, message } = refusalOf(() => serverWith('origins', 'good.example:80, not/an/origin'));
    expect(name).toBe('InvalidOptionsError');
    expect(message).toContain('origins');
    expect(message).toContain('not/an/origin');
    expect(message).toContain('host:port');
  });

  ours('option `authKey`: what is no secret is refused, and a key is never quoted', () => {
    for (const value of [42, true, {}, '']) {
      const { name, message } = refusalOf(() => serverWith('authKey', value));
      expect(name).toBe('InvalidOptionsError');
      expect(message).toContain('The authKey option');
    }
    const pem = '-----BEGIN PUBLIC KEY-----\nsecret stuff\n-----END PUBLIC KEY-----';
    const { name, message } = refusalOf(() => serverWith('authKey', pem));
    expect(name).toBe('InvalidOptionsError');
    expect(message).not.toContain('secret stuff');
  });

  ours('option `authPrivateKey`: what is no key is refused, and never quoted', () => {
    const make = (): unknown =>
      attach(createServer(), { authPrivateKey: 'secret stuff', authPublicKey: 'no key either' });
    const { name, message } = refusalOf(make);
    expect(name).toBe('InvalidOptionsError');
    expect(message).toMatch(/authPrivateKey|authPublicKey/);
    expect(message).not.toContain('secret stuff');
  });

  ours('option `authJwks`: what is neither an address nor a key set is refused', () => {
    for (const value of ['not an address', 'ftp://keys.example/', 17, {}]) {
      const { name, message } = refusalOf(() => serverWith('authJwks', value));
      expect(name).toBe('InvalidOptionsError');
      expect(message).toContain('The authJwks option');
    }
  });

  test('option `wsEngine`: a module without a Server is refused', () => {
    const { name } = refusalOf(() => serverWith('wsEngine', { Client: Date }));
    expect(name).toBe('InvalidOptionsError');
  });

  ours('option `httpServer`: a missing or another one is refused', () => {
    for (const options of [
      {},
      { httpServer: null },
      { httpServer: undefined },
      { httpServer: {} },
      undefined,
    ]) {
      const { name, message } = refusalOf(() => new AGServer(options as ServerOptions));
      expect(name).toBe('InvalidOptionsError');
      expect(message).toContain('httpServer');
    }
  });

  test('nothing is left behind on the HTTP server of a refused server', () => {
    const httpServer = createServer();
    refusalOf(() => attach(httpServer, { authPublicKey: 'no key' }));
    expect(httpServer.listenerCount('upgrade')).toBe(0);
  });
});

describe('a good value', () => {
  const good: [option: string, values: unknown[]][] = [
    ['protocolVersion', [1, 2]],
    ['socketStreamCleanupMode', ['kill', 'close', 'none']],
    ['socketChannelLimit', [0, 1, 5000, false, null, Number.POSITIVE_INFINITY]],
    ['maxPayload', [0, 1, 1e9, null, Number.POSITIVE_INFINITY]],
    ['path', ['/', '/live', null]],
    ['pingInterval', [1, 2 ** 31 - 1]],
    ['perMessageDeflate', [true, false, { threshold: 1 }]],
    ['authDefaultExpiry', [1, '2h']],
    ['origins', ['*:*', 'a.example:443 b.example:*', ['*:8000']]],
  ];

  for (const [option, values] of good) {
    test(`option \`${option}\`: takes ${values.map((value) => shown(value)).join(', ')}`, () => {
      for (const value of values) {
        if (isOracleMode && value === null) continue;
        expect(serverWith(option, value).options[option as 'path']).toEqual(value);
      }
    });
  }
});

describe('what is not given', () => {
  const defaults = isOracleMode ? {} : { ...attach(createServer()).options };
  const withMeaningOfNull = ['authDefaultExpiry', 'maxPayload', 'path', 'socketChannelLimit'];
  const options = BAD_VALUES.map(([option]) => option);

  ours('`undefined` is the default, for every option', () => {
    for (const option of options) {
      expect([option, serverWith(option, undefined).options[option as 'path']]).toEqual([
        option,
        defaults[option as keyof typeof defaults],
      ]);
    }
  });

  ours('`null` is the default too, unless the option gives it a meaning', () => {
    for (const option of options.filter((name) => !withMeaningOfNull.includes(name))) {
      const given = serverWith(option, null).options[option as 'path'] ?? undefined;
      expect([option, given]).toEqual([option, defaults[option as keyof typeof defaults] ?? undefined]);
    }
    for (const option of withMeaningOfNull) {
      expect([option, serverWith(option, null).options[option as 'path']]).toEqual([option, null]);
    }
  });

  ours('the options as a whole may be left out of `attach()` and `listen()`', async () => {
    expect(attach(createServer(), null).options.pingInterval).toBe(8000);
    const server = listen(0, undefined);
    expect(server.options.pingInterval).toBe(8000);
    await new Promise<void>((resolve) => server.httpServer.once('listening', resolve));
    await server.close();
    await new Promise((resolve) => server.httpServer.close(resolve));
  });
});

describe('unknown options', () => {
  test('are kept in `server.options` and otherwise ignored', async () => {
    const server = attach(createServer(), {
      connectTimeout: -1,
      authTokenName: 17,
      authSignAsync: 'maybe',
      mine: { deep: true },
    } as ServerOptions);
    expect(server.options).toMatchObject({
      connectTimeout: -1,
      authTokenName: 17,
      authSignAsync: 'maybe',
      mine: { deep: true },
    });
  });

  ours('of inherited names are no known ones', () => {
    const server = attach(createServer(), { constructor: 1, toString: 2 } as unknown as ServerOptions);
    expect(Object.getOwnPropertyDescriptor(server.options, 'toString')?.value).toBe(2);
  });

  test('a broker of the right shape is taken', () => {
    const brokerEngine = new AGSimpleBroker();
    expect(serverWith('brokerEngine', brokerEngine).brokerEngine).toBe(brokerEngine);
  });
});
