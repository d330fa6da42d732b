import { InvalidArgumentsError } from '@socketcluster-ts/core';
import type { ClientOptions, ClientSettings } from './client-options.js';
import type { Environment } from './environment.js';

/** Longer times cannot be put into a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What an option may be, as errors say it, and whether a value is that. */
type Rule = readonly [allowed: string, check: (value: never) => boolean];

const isText = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): boolean => typeof value === 'object' && !Array.isArray(value);
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
const TEXT: Rule = ['a string', isText];
const OBJECT: Rule = ['an object', isObject];

function oneOf(...values: readonly unknown[]): Rule {
  return [values.map((value) => JSON.stringify(value)).join(' or '), (value) => values.includes(value)];
}

function methods(...names: readonly string[]): Rule {
  return [
    `an object with the methods ${names.join(', ')}`,
    (value: Record<string, unknown>) => names.every((name) => typeof value[name] === 'function'),
  ];
}

/** The rules of single options by name, and of all others by the type of their default. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    host: ['a name and a port, "example.com:8000"', (value) => /[^:]+:\d{2,5}$/.test(value)],
    port: ['a port', (value) => /^\d{1,5}$/.test(value)],
    query: ['an object or a string', (value) => isText(value) || isObject(value)],
    maxQueuedMessages: ['a number from 0', isAmount],
    autoReconnectOptions: OBJECT,
    wsOptions: OBJECT,
    authEngine: methods('saveToken', 'removeToken', 'loadToken'),
    codecEngine: methods('encode', 'decode'),
    contract: ['what defineContract() gives', methods('guard')[1]],
    getToken: ['a function', (value: unknown) => typeof value === 'function'],
    protocolVersion: oneOf(1, 2),
    compat: oneOf('v20'),
    'a boolean': ['true or false', (value: unknown) => typeof value === 'boolean'],
    'a number': [
      `milliseconds from 0 to ${MAX_TIMER_MS}`,
      (value: number) => isAmount(value) && value <= MAX_TIMER_MS,
    ],
    // Those without a default are texts.
    'a object': TEXT,
    'a string': TEXT,
  }),
);

/**
 * The options a client works with: what was given, checked, on top of the defaults. The given object is not changed;
 * `undefined` and `null` mean not given.
 * @throws {InvalidArgumentsError} that names the option, what was given and what is allowed
 */
export function resolveOptions(options: ClientOptions, environment: Environment): ClientSettings {
  if (!isObject(options)) throw new InvalidArgumentsError(`Options are an object - Got ${String(options)}`);
  const isV20 = options.compat === 'v20';
  const { location } = globalThis as { location?: { protocol?: string; hostname?: string; port?: string } };
  const settings = checked('', options, {
    hostname: location?.hostname || 'localhost',
    port: location?.port || undefined,
    path: '/socketcluster/',
    secure: location?.protocol === 'https:',
    contract: null,
    checkOutgoing: false,
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
    authTokenName: null,
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
    clientId: null,
    compat: null,
  });
  settings['autoReconnectOptions'] = checked(
    'autoReconnectOptions.',
    options.autoReconnectOptions ?? {},
    isV20
      ? { initialDelay: 10_000, randomness: 10_000, multiplier: 1.5, maxDelay: 60_000, stableAfter: 0 }
      : { initialDelay: 0, randomness: 1000, multiplier: 2, maxDelay: 30_000, stableAfter: 10_000 },
  );
  if ((options as { protocol?: unknown }).protocol) {
    throw new InvalidArgumentsError('The "protocol" option is not known: use "protocolScheme" or "secure"');
  }
  if (options.host && (options.hostname ?? options.port ?? null) !== null) {
    throw new InvalidArgumentsError('The host option excludes the hostname and port options');
  }
  settings['port'] ??= settings['secure'] === true ? 443 : 80;
  settings['clientId'] ??= newId(environment);
  const address = options.host ?? `${String(settings['hostname'])}:${String(settings['port'])}`;
  settings['authTokenName'] ??= `socketcluster.authToken.${address}`;
  return settings as unknown as ClientSettings;
}

/** What was given, checked, over the defaults. */
function checked(
  prefix: string,
  given: object,
  defaults: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const settings: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const kind = name in defaults ? `a ${typeof (defaults[name] ?? null)}` : '';
    const [allowed, check] = RULES.get(name) ?? RULES.get(kind) ?? [];
    if (check?.(value as never) === false) throw invalid(prefix + name, allowed, value);
    settings[name] = value;
  }
  return settings;
}

/** A UUID of version 4, of which the variant is always 8. `crypto.randomUUID()` is missing on pages without TLS. */
function newId(environment: Environment): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () =>
    Math.floor(environment.random() * 16).toString(16),
  );
}

function invalid(option: string, allowed: string | undefined, given: unknown): InvalidArgumentsError {
  const isTooLong = typeof given === 'number' && given > MAX_TIMER_MS;
  const shown = isText(given) ? JSON.stringify(given) : isObject(given) ? 'an object' : String(given);
  return new InvalidArgumentsError(
    `The ${option} ${isTooLong ? 'value provided exceeded the maximum amount allowed: it' : 'option'} must be ${allowed} - Got ${shown}`,
  );
}
