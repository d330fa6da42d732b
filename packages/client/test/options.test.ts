import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import client, { AGClientSocket, type ClientOptions, create, factory, version } from '../src/index.js';

const make = (options: ClientOptions): AGClientSocket => create({ autoConnect: false, ...options });

test('the version is that of the package', () => {
  expect([version, client.version, make({}).version]).toEqual(
    Array.from({ length: 3 }, () => manifest.version),
  );
});

test('the default export has what socketcluster-client has', () => {
  expect(Object.keys(client).toSorted()).toEqual(['AGClientSocket', 'create', 'factory', 'version']);
  expect([client.create, client.AGClientSocket, factory.create]).toEqual([create, AGClientSocket, create]);
});

describe('options', () => {
  test('have the documented defaults', () => {
    expect(make({}).options).toMatchObject({
      path: '/socketcluster/',
      secure: false,
      hostname: 'localhost',
      port: 80,
      autoReconnect: true,
      autoSubscribeOnConnect: true,
      connectTimeout: 20_000,
      ackTimeout: 10_000,
      batchOnHandshakeDuration: 100,
      batchInterval: 50,
      protocolVersion: 2,
      autoReconnectOptions: { initialDelay: 0, randomness: 1000, multiplier: 2, maxDelay: 30_000 },
    });
  });

  test("compat: 'v20' brings upstream's numbers, under what is given", () => {
    const options = make({ compat: 'v20', autoReconnectOptions: { maxDelay: 5 } }).options;
    expect(options.autoReconnectOptions).toEqual({
      initialDelay: 10_000,
      randomness: 10_000,
      multiplier: 1.5,
      maxDelay: 5,
      stableAfter: 0,
    });
  });

  test('null means not given', () => {
    expect(make({ path: null, codecEngine: null } as never).options.path).toBe('/socketcluster/');
  });

  test('a client id is a UUID, another one for each client', () => {
    const [one, two] = [make({}).clientId, make({}).clientId];
    expect(one).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(one).not.toBe(two);
    expect(make({ clientId: 'mine' }).clientId).toBe('mine');
  });

  test.each([
    [{ hostname: 'a.b', port: 8000 }, 'socketcluster.authToken.a.b:8000'],
    [{ host: 'a.b:9000' }, 'socketcluster.authToken.a.b:9000'],
    [{ authTokenName: 'own' }, 'own'],
  ])('of %j the token is kept under %s', (options, name) => {
    expect(make(options).authTokenName).toBe(name);
  });

  test.each<[ClientOptions, string]>([
    [{ hostname: 'a', port: 80 }, 'ws://a/socketcluster/'],
    [{ hostname: 'a', port: '80' }, 'ws://a:80/socketcluster/'],
    [{ hostname: 'a', secure: true }, 'wss://a/socketcluster/'],
    [{ hostname: 'a', port: 443, secure: true }, 'wss://a/socketcluster/'],
    [{ hostname: 'a', port: 443 }, 'ws://a:443/socketcluster/'],
    [{ host: 'a:8000', path: '/x' }, 'ws://a:8000/x'],
    [{ hostname: 'a', query: { b: [1, 2], c: 'd e' } }, 'ws://a/socketcluster/?b=1&b=2&c=d+e'],
    [{ hostname: 'a', query: '?b=1' }, 'ws://a/socketcluster/?b=1'],
    [{ protocolScheme: 'ws+unix', socketPath: '/tmp/s' }, 'ws+unix:///tmp/s:/socketcluster/'],
  ])('%j connect to %s', (options, uri) => {
    expect(make(options).uri()).toBe(uri);
  });

  test('timestampRequests adds the time', () => {
    const environment = { now: () => 1234 };
    expect(make({ hostname: 'a', timestampRequests: true, environment }).uri()).toBe(
      'ws://a/socketcluster/?t=1234',
    );
  });

  test.each<[string, object, string]>([
    ['path', { path: 7 }, 'The path option must be a string - Got 7'],
    ['port', { port: 'x' }, 'The port option must be a port - Got "x"'],
    [
      'host',
      { host: 'localhost' },
      'The host option must be a name and a port, "example.com:8000" - Got "localhost"',
    ],
    ['host and port', { host: 'a:80', port: 80 }, 'The host option excludes the hostname and port options'],
    ['protocolVersion', { protocolVersion: 3 }, 'The protocolVersion option must be 1 or 2 - Got 3'],
    [
      'ackTimeout',
      { ackTimeout: 2 ** 31 },
      'The ackTimeout value provided exceeded the maximum amount allowed',
    ],
    [
      'connectTimeout',
      { connectTimeout: -1 },
      'The connectTimeout option must be milliseconds from 0 to 2147483647 - Got -1',
    ],
    ['autoConnect', { autoConnect: 'no' }, 'The autoConnect option must be true or false - Got "no"'],
    [
      'authEngine',
      { authEngine: {} },
      'The authEngine option must be an object with the methods saveToken, removeToken, loadToken',
    ],
    [
      'codecEngine',
      { codecEngine: { encode() {} } },
      'The codecEngine option must be an object with the methods encode, decode',
    ],
    [
      'autoReconnectOptions',
      { autoReconnectOptions: { maxDelay: 'x' } },
      'The autoReconnectOptions.maxDelay option must be',
    ],
    ['compat', { compat: 'v19' }, 'The compat option must be "v20" - Got "v19"'],
    ['protocol', { protocol: 'https' }, 'The "protocol" option is not known'],
  ])('a wrong %s is refused, with what was given and what is allowed', (_name, options, message) => {
    expect(() => make(options as ClientOptions)).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentsError',
        message: expect.stringContaining(message),
      }) as Error,
    );
  });
});
