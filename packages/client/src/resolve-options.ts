import { InvalidArgumentsError } from '@socketcluster-ts/core';
import type { AutoReconnectOptions, ClientOptions, ClientSettings } from './client-options.js';
import type { Environment } from './environment.js';

/** Longer times cannot be put into a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What an option may be, as errors say it, and whether a value is that. */
type Rule = readonly [allowed: string, check: (value: unknown) => boolean];

const TEXT: Rule = ['a string', (value) => typeof value === 'string'];
const BOOLEAN: Rule = ['true or false', (value) => typeof value === 'boolean'];
const OBJECT: Rule = ['an object', (value) => typeof value === 'object' && !Array.isArray(value)];
const AMOUNT: Rule = ['a number from 0', (value) => typeof value === 'number' && value >= 0];
const DURATION: Rule = [
  `milliseconds from 0 to ${MAX_TIMER_MS}`,
  (value) => AMOUNT[1](value) && (value as number) <= MAX_TIMER_MS,
];

function oneOf(...values: readonly unknown[]): Rule {
  return [values.map((value) => JSON.stringify(value)).join(' or '), (value) => values.includes(value)];
}

function methods(...names: readonly string[]): Rule {
  return [
    `an object with the methods ${names.join(', ')}`,
    (value) => names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
  ];
}

/** By rule, the options it holds for. */
const RULES: readonly (readonly [Rule, string])[] = [
  [TEXT, 'hostname path protocolScheme socketPath timestampParam authTokenName channelPrefix clientId'],
  [['a name and a port, "example.com:8000"', (value) => /[^:]+:\d{2,5}$/.test(String(value))], 'host'],
  [['a port', (value) => /^\d{1,5}$/.test(String(value))], 'port'],
  [
    BOOLEAN,
    'secure timestampRequests autoConnect autoReconnect autoSubscribeOnConnect pingTimeoutDisabled batchOnHandshake cloneData',
  ],
  [
    DURATION,
    'connectTimeout ackTimeout subscribeTimeout probeTimeout batchOnHandshakeDuration batchInterval',
  ],
  [AMOUNT, 'maxQueuedMessages'],
  [['an object or a string', (value) => TEXT[1](value) || OBJECT[1](value)], 'query'],
  [OBJECT, 'wsOptions autoReconnectOptions environment'],
  [methods('saveToken', 'removeToken', 'loadToken'), 'authEngine'],
  [methods('encode', 'decode'), 'codecEngine'],
  [['a function', (value) => typeof value === 'function'], 'getToken'],
  [oneOf('arraybuffer', 'blob', 'nodebuffer', 'fragments'), 'binaryType'],
  [oneOf(1, 2), 'protocolVersion'],
  [oneOf('v20'), 'compat'],
];

const RULE_OF = new Map(
  RULES.flatMap(([rule, names]) => names.split(' ').map((name): [string, Rule] => [name, rule])),
);

/**
 * The options a client works with: what was given, checked, on top of the defaults. The given object is not changed;
 * `undefined` and `null` mean not given.
 * @throws {InvalidArgumentsError} that names the option, what was given and what is allowed
 */
export function resolveOptions(options: ClientOptions, environment: Environment): ClientSettings {
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    check(name, value);
    given[name] = value;
  }
  if (given['protocol'] !== undefined) {
    throw new InvalidArgumentsError('The "protocol" option is not known: use "protocolScheme" or "secure"');
  }
  if (given['host'] !== undefined && (given['hostname'] ?? given['port']) !== undefined) {
    throw new InvalidArgumentsError('The host option excludes the hostname and port options');
  }
  const isV20 = given['compat'] === 'v20';
  const settings = { ...defaults(isV20), ...given } as Record<string, unknown>;
  settings['autoReconnectOptions'] = reconnectOptions(options.autoReconnectOptions, isV20);
  if (given['host'] === undefined) fillInAddress(settings);
  settings['clientId'] ??= newId(environment);
  settings['authTokenName'] ??= tokenName(settings as unknown as ClientSettings);
  return settings as unknown as ClientSettings;
}

function defaults(isV20: boolean): Partial<ClientSettings> {
  return {
    path: '/socketcluster/',
    protocolScheme: null,
    socketPath: null,
    query: {},
    timestampRequests: false,
    timestampParam: 't',
    autoConnect: true,
    autoReconnect: true,
    autoSubscribeOnConnect: true,
    connectTimeout: 20_000,
    ackTimeout: 10_000,
    subscribeTimeout: isV20 ? 0 : 30_000,
    maxQueuedMessages: isV20 ? Infinity : 100_000,
    pingTimeoutDisabled: false,
    probeTimeout: 2000,
    authEngine: null,
    getToken: null,
    codecEngine: null,
    binaryType: 'arraybuffer',
    batchOnHandshake: false,
    batchOnHandshakeDuration: 100,
    batchInterval: 50,
    protocolVersion: 2,
    wsOptions: {},
    cloneData: false,
    channelPrefix: null,
    compat: null,
  };
}

function reconnectOptions(given: AutoReconnectOptions = {}, isV20: boolean): Required<AutoReconnectOptions> {
  const options: Record<string, number> = isV20
    ? { initialDelay: 10_000, randomness: 10_000, multiplier: 1.5, maxDelay: 60_000, stableAfter: 0 }
    : { initialDelay: 0, randomness: 1000, multiplier: 2, maxDelay: 30_000, stableAfter: 10_000 };
  for (const [name, value] of Object.entries(given ?? {}) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const rule = name === 'multiplier' ? AMOUNT : DURATION;
    if (!rule[1](value)) throw invalid(`autoReconnectOptions.${name}`, rule[0], value);
    options[name] = value as number;
  }
  return options as unknown as Required<AutoReconnectOptions>;
}

function fillInAddress(settings: Record<string, unknown>): void {
  const { location } = globalThis as { location?: { protocol?: string; hostname?: string; port?: string } };
  settings['secure'] ??= location?.protocol === 'https:';
  settings['hostname'] ??= location?.hostname || 'localhost';
  settings['port'] ??= location?.port || (settings['secure'] === true ? 443 : 80);
}

function tokenName({ host, hostname, port }: ClientSettings): string {
  return `socketcluster.authToken.${host ?? `${hostname}${port === undefined ? '' : `:${port}`}`}`;
}

/** A UUID of version 4. `crypto.randomUUID()` is missing on pages without TLS. */
function newId(environment: Environment): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (digit) =>
    Math.floor(digit === 'x' ? environment.random() * 16 : 8 + environment.random() * 4).toString(16),
  );
}

function check(name: string, value: unknown): void {
  const rule = RULE_OF.get(name);
  if (rule !== undefined && !rule[1](value)) throw invalid(name, rule[0], value);
}

function invalid(option: string, allowed: string, given: unknown): InvalidArgumentsError {
  const isTooLong = typeof given === 'number' && given > MAX_TIMER_MS;
  const note = isTooLong
    ? `The ${option} value provided exceeded the maximum amount allowed: it`
    : `The ${option} option`;
  return new InvalidArgumentsError(`${note} must be ${allowed} - Got ${show(given)}`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
  return typeof value === 'object' || typeof value === 'function'
    ? `a value of type ${typeof value}`
    : String(value);
}
