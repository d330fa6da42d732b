import { invalidOption } from '@socketcluster-ts/core';
import { isProxyEntry } from './admission/client-address.js';
import { PRESET_OPTIONS, type ResolvedLimits, resolveLimits } from './limits/limits.js';
import type { ResolvedOptions, ServerOptions } from './server-options.js';

/** Longer times cannot be put into a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

type Check = (value: unknown) => boolean;

interface Rule {
  readonly check: Check;
  /** What is allowed, as the error says it. */
  readonly allowed: string;
  /** `null` has a meaning of its own. */
  readonly nullable?: boolean;
}

const isBoolean: Check = (value) => typeof value === 'boolean';
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isFunction: Check = (value) => typeof value === 'function';
const isMs: Check = (value) => typeof value === 'number' && value > 0 && value <= MAX_TIMER_MS;
const isCount: Check = (value) => typeof value === 'number' && value >= 0;

const BOOLEAN: Rule = { check: isBoolean, allowed: 'true or false' };
const DURATION: Rule = { check: isMs, allowed: `milliseconds from 1 to ${MAX_TIMER_MS}` };

const hasMethods =
  (...names: string[]): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const BROKER_METHODS = [
  'listener',
  'exchange',
  'setCodecEngine',
  'subscribeSocket',
  'unsubscribeSocket',
  'invokePublish',
  'transmitPublish',
];

const CONTRACT_METHODS = ['checkArgument', 'checkEvent', 'checkMessage', 'checkSubscription', 'checkToken'];

const RULES: Readonly<Record<string, Rule>> = {
  contract: { check: hasMethods(...CONTRACT_METHODS), allowed: 'what defineContract() gives' },
  checkOutgoing: BOOLEAN,
  wsEngine: {
    check: (value) => (typeof value === 'string' && value !== '') || isObject(value) || isFunction(value),
    allowed: 'the name or path of a module, or the module',
  },
  wsEngineServerOptions: { check: isObject, allowed: 'an object' },
  authEngine: { check: hasMethods('verifyToken'), allowed: 'an object with a verifyToken method' },
  isTokenRevoked: { check: isFunction, allowed: 'a function' },
  userClaim: {
    check: (value) => typeof value === 'string' && value !== '',
    allowed: 'the name of a claim, not empty',
  },
  codecEngine: {
    check: hasMethods('encode', 'decode'),
    allowed: 'an object with the methods encode and decode',
  },
  brokerEngine: {
    check: hasMethods(...BROKER_METHODS),
    allowed: `an object with the methods ${BROKER_METHODS.join(', ')}`,
  },
  perMessageDeflate: {
    check: (value) => isBoolean(value) || isObject(value),
    allowed: 'true, false or an object',
  },
  maxPayload: { check: isCount, allowed: 'a number of bytes from 0, or null', nullable: true },
  handleProtocols: { check: isFunction, allowed: 'a function' },
  protocolVersion: { check: (value) => value === 1 || value === 2, allowed: '1 or 2' },
  handshakeTimeout: {
    check: (value) => value === 0 || value === Infinity || isMs(value),
    allowed: `milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity`,
  },
  ackTimeout: DURATION,
  origins: {
    check: (value) =>
      (typeof value === 'string' && value.trim() !== '') ||
      (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string')),
    allowed: 'a string or an array of strings, not empty',
  },
  allowMissingOrigin: BOOLEAN,
  trustedProxies: {
    check: (value) => Array.isArray(value) && value.every(isProxyEntry),
    allowed: "an array of IP addresses, networks such as '10.0.0.0/8', and 'unix'",
  },
  socketChannelLimit: {
    check: (value) => value === false || isCount(value),
    allowed: 'a number from 0, false or null',
    nullable: true,
  },
  pingInterval: DURATION,
  pingTimeout: DURATION,
  pingTimeoutDisabled: BOOLEAN,
  middlewareEmitFailures: BOOLEAN,
  path: {
    check: (value) => typeof value === 'string' && value.startsWith('/'),
    allowed: 'a string that begins with /, or null',
    nullable: true,
  },
  allowClientPublish: BOOLEAN,
  batchOnHandshake: BOOLEAN,
  batchOnHandshakeDuration: DURATION,
  batchInterval: DURATION,
  socketStreamCleanupMode: {
    check: (value) => value === 'kill' || value === 'close' || value === 'none',
    allowed: "'kill', 'close' or 'none'",
  },
  strictHandshake: BOOLEAN,
  cloneData: BOOLEAN,
  requestCreator: { check: isFunction, allowed: 'a function' },
  sourcePort: {
    check: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535,
    allowed: 'a port from 0 to 65535',
  },
  secure: BOOLEAN,
  host: { check: (value) => typeof value === 'string', allowed: 'a string' },
};

/** Options that are checked where they are turned into keys, and for which `null` means not given. */
const CHECKED_WITH_KEYS: ReadonlySet<string> = new Set([
  'authKey',
  'authKeys',
  'authClockTolerance',
  'authPrivateKey',
  'authPublicKey',
  'authAlgorithm',
  'authVerifyAlgorithms',
  'authJwks',
  'httpServer',
  'limits',
]);

/**
 * The options a server works with: what was given, checked, on top of the defaults. The given object is not changed.
 *
 * The options about keys and tokens are checked where they are turned into keys.
 * @throws {InvalidOptionsError} that names the option, what was given and what is allowed
 */
export function resolveOptions(options: ServerOptions): { options: ResolvedOptions; limits: ResolvedLimits } {
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    const meansNotGiven = rule === undefined ? CHECKED_WITH_KEYS.has(name) : rule.nullable !== true;
    if (value === null && meansNotGiven) continue;
    if (rule !== undefined && value !== null && !rule.check(value))
      throw invalidOption(name, rule.allowed, value);
    given[name] = value;
  }
  checkHttpServer(options.httpServer);
  const limits = resolveLimits(
    options.limits,
    given['socketChannelLimit'] as ServerOptions['socketChannelLimit'],
  );
  const resolved = { ...defaults(limits), ...given } as ResolvedOptions;
  resolved.wsEngineServerOptions = { ...resolved.wsEngineServerOptions };
  return { options: resolved, limits };
}

function defaults({ preset }: ResolvedLimits): Omit<ResolvedOptions, 'httpServer'> {
  return {
    httpServer: null,
    checkOutgoing: false,
    wsEngine: 'ws',
    wsEngineServerOptions: {},
    authKey: null,
    perMessageDeflate: false,
    authPrivateKey: null,
    authPublicKey: null,
    authDefaultExpiry: 86_400,
    authAlgorithm: 'HS256',
    userClaim: 'sub',
    protocolVersion: 2,
    handshakeTimeout: 10_000,
    ackTimeout: 10_000,
    allowMissingOrigin: false,
    trustedProxies: [],
    pingInterval: 8000,
    pingTimeout: 20_000,
    pingTimeoutDisabled: false,
    middlewareEmitFailures: true,
    path: '/socketcluster/',
    allowClientPublish: true,
    batchOnHandshake: false,
    batchOnHandshakeDuration: 400,
    batchInterval: 50,
    socketStreamCleanupMode: 'kill',
    strictHandshake: true,
    cloneData: false,
    ...PRESET_OPTIONS[preset],
  };
}

function checkHttpServer(httpServer: unknown): void {
  if (hasMethods('on')(httpServer)) return;
  throw invalidOption(
    'httpServer',
    'an instance of the Node.js HTTP or HTTPS server (attach() and listen() set it)',
    httpServer,
  );
}
