/** The scenarios: what is done, how much of it, and in which order the results are shown. */

/**
 * At most this ratio to another server; or cheaper than every other server that runs in Node and is no ruler.
 * @typedef {{ to: 'upstream' | 'node-limit', atMost: number } | 'ahead'} Target
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title for people
 * @property {string} unit what a figure is per
 * @property {string} kind the load that is generated
 * @property {boolean} [isQuick] part of `--quick`
 * @property {boolean} [middleware] with an inbound and an outbound middleware, in the servers that have such
 * @property {boolean} [procedure] clients call a procedure
 * @property {string[]} [servers] which take part, if not all
 * @property {Target} target what ours must reach; `npm run bench` says whether it did
 * @property {Record<string, number | boolean>} parameters of the full run
 * @property {Record<string, number | boolean>} quick what differs in a quick run
 * @property {Record<string, number | boolean>} smoke what differs when it only has to be seen to run
 */

const TIMES = { warmUpMs: 1500, measureMs: 2000, stallMs: 10_000 };
const QUICK_TIMES = { warmUpMs: 400, measureMs: 400, stallMs: 5000 };
const SMOKE_TIMES = { warmUpMs: 60, measureMs: 150, stallMs: 1500 };
/** Messages: enough for a fault to show, however slow the machine is. */
const SMOKE_LEAST = 50;

const FAN_OUT = { ...TIMES, channels: 1, subscribers: 1000, bytes: 100, outstanding: 16 };
const FAN_OUT_SMOKE = { ...SMOKE_TIMES, least: SMOKE_LEAST, subscribers: 20 };
const MANY_CHANNELS = { ...FAN_OUT, channels: 1000, subscribers: 10 };
const MANY_CHANNELS_SMOKE = { ...FAN_OUT_SMOKE, channels: 10, subscribers: 4, least: 10 * SMOKE_LEAST };
const RPC = { ...TIMES, connections: 100, outstanding: 10 };
const RPC_SMOKE = { ...SMOKE_TIMES, connections: 5, least: 5 * SMOKE_LEAST };
const CONNECTIONS = { warmUp: 3000, connections: 2000, atOnce: 100, token: false };
const CONNECTIONS_SMOKE = { warmUp: 10, connections: 40, atOnce: 10 };
const IDLE = { warmUp: 100, connections: 10_000, subscriptions: 0 };
const IDLE_SMOKE = { warmUp: 10, connections: 100 };

/** @type {Scenario[]} */
export const scenarios = [
  {
    name: 'fan-out',
    title: 'fan-out 1 x 1,000 under load',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'node-limit', atMost: 1.6 },
    isQuick: true,
    parameters: FAN_OUT,
    quick: QUICK_TIMES,
    smoke: FAN_OUT_SMOKE,
  },
  {
    name: 'fan-out-single',
    title: 'fan-out 1 x 1,000, one message at a time',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'node-limit', atMost: 1.1 },
    parameters: { ...FAN_OUT, outstanding: 1 },
    quick: QUICK_TIMES,
    smoke: FAN_OUT_SMOKE,
  },
  {
    name: 'fan-out-rate',
    title: 'fan-out 1 x 1,000, 30 messages/s',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'node-limit', atMost: 1.1 },
    parameters: { ...FAN_OUT, perSecond: 30, measureMs: 3000 },
    quick: QUICK_TIMES,
    smoke: FAN_OUT_SMOKE,
  },
  {
    name: 'fan-out-100',
    title: 'fan-out 1 x 100 under load',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'node-limit', atMost: 1.7 },
    parameters: { ...FAN_OUT, subscribers: 100 },
    quick: QUICK_TIMES,
    smoke: FAN_OUT_SMOKE,
  },
  {
    name: 'channels',
    title: '1,000 channels x 10',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'node-limit', atMost: 1.2 },
    parameters: MANY_CHANNELS,
    quick: QUICK_TIMES,
    smoke: MANY_CHANNELS_SMOKE,
  },
  {
    name: 'large',
    title: '16 KiB x 200',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'node-limit', atMost: 1.25 },
    parameters: { ...FAN_OUT, subscribers: 200, bytes: 16_384 },
    quick: QUICK_TIMES,
    smoke: { ...FAN_OUT_SMOKE, subscribers: 5 },
  },
  {
    name: 'rpc',
    title: 'RPC, 100 connections, 10 outstanding',
    unit: 'call',
    kind: 'rpc',
    target: { to: 'node-limit', atMost: 1.5 },
    isQuick: true,
    procedure: true,
    parameters: RPC,
    quick: QUICK_TIMES,
    smoke: RPC_SMOKE,
  },
  {
    name: 'rpc-single',
    title: 'RPC, 100 connections, 1 outstanding',
    unit: 'call',
    kind: 'rpc',
    target: { to: 'node-limit', atMost: 1.2 },
    procedure: true,
    parameters: { ...RPC, outstanding: 1 },
    quick: QUICK_TIMES,
    smoke: RPC_SMOKE,
  },
  {
    name: 'connections',
    title: 'connections, full handshake',
    unit: 'connection',
    kind: 'connections',
    target: { to: 'upstream', atMost: 0.55 },
    isQuick: true,
    parameters: CONNECTIONS,
    quick: {},
    smoke: CONNECTIONS_SMOKE,
  },
  {
    name: 'connections-token',
    title: 'connections, full handshake with a token',
    unit: 'connection',
    kind: 'connections',
    target: 'ahead',
    parameters: { ...CONNECTIONS, token: true },
    quick: {},
    smoke: CONNECTIONS_SMOKE,
  },
  {
    name: 'idle',
    title: 'idle connection',
    unit: 'connection',
    kind: 'idle',
    target: { to: 'upstream', atMost: 0.47 },
    isQuick: true,
    parameters: IDLE,
    quick: { connections: 4000 },
    smoke: IDLE_SMOKE,
  },
  {
    name: 'idle-subscribed',
    title: 'idle connection, five subscriptions',
    unit: 'connection',
    kind: 'idle',
    target: { to: 'upstream', atMost: 0.5 },
    parameters: { ...IDLE, subscriptions: 5 },
    quick: {},
    smoke: IDLE_SMOKE,
  },
  {
    name: 'churn',
    title: 'churn: connect, subscribe, publish, leave',
    unit: 'client',
    kind: 'churn',
    target: 'ahead',
    parameters: { warmUp: 500, lives: 1500, atOnce: 50, bytes: 100, stallMs: 10_000 },
    quick: {},
    smoke: { warmUp: 10, lives: 40, atOnce: 8, stallMs: 1500 },
  },
  {
    name: 'slow-readers',
    title: '10 slow among 100 fast, 4 KiB, 400 messages/s',
    unit: 'delivery',
    kind: 'fan-out',
    target: 'ahead',
    parameters: {
      ...FAN_OUT,
      subscribers: 100,
      slowReaders: 10,
      bytes: 4096,
      perSecond: 400,
      measureMs: 3000,
    },
    quick: QUICK_TIMES,
    smoke: { ...FAN_OUT_SMOKE, subscribers: 5, slowReaders: 2 },
  },
  {
    name: 'stopped-readers',
    title: '10 that stopped among 1,000, 30 messages/s',
    unit: 'delivery',
    kind: 'stopped-readers',
    target: 'ahead',
    servers: ['ours', 'upstream'],
    parameters: {
      warmUpMs: 1500,
      beforeMs: 4000,
      measureMs: 14_000,
      sampleMs: 500,
      stallMs: 10_000,
      subscribers: 1000,
      stopped: 10,
      bytes: 100,
      perSecond: 30,
      bulkBytes: 65_536,
      bulkPerSecond: 50,
    },
    quick: { warmUpMs: 400, beforeMs: 1000, measureMs: 5000 },
    smoke: {
      warmUpMs: 60,
      beforeMs: 150,
      measureMs: 150,
      sampleMs: 50,
      stallMs: 1500,
      subscribers: 20,
      stopped: 2,
    },
  },
  {
    name: 'fan-out-middleware',
    title: 'fan-out 1 x 1,000 under load, both middlewares',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'upstream', atMost: 0.33 },
    middleware: true,
    parameters: FAN_OUT,
    quick: QUICK_TIMES,
    smoke: FAN_OUT_SMOKE,
  },
  {
    name: 'channels-middleware',
    title: '1,000 channels x 10, both middlewares',
    unit: 'delivery',
    kind: 'fan-out',
    target: { to: 'upstream', atMost: 0.33 },
    middleware: true,
    parameters: MANY_CHANNELS,
    quick: QUICK_TIMES,
    smoke: MANY_CHANNELS_SMOKE,
  },
  {
    name: 'rpc-middleware',
    title: 'RPC, 100 connections, 10 outstanding, both middlewares',
    unit: 'call',
    kind: 'rpc',
    target: { to: 'upstream', atMost: 0.33 },
    middleware: true,
    procedure: true,
    parameters: RPC,
    quick: QUICK_TIMES,
    smoke: RPC_SMOKE,
  },
  {
    name: 'connections-middleware',
    title: 'connections with a token, both middlewares',
    unit: 'connection',
    kind: 'connections',
    target: { to: 'upstream', atMost: 0.33 },
    middleware: true,
    parameters: { ...CONNECTIONS, token: true },
    quick: {},
    smoke: CONNECTIONS_SMOKE,
  },
];

/**
 * Whether a server takes part in a scenario: with middlewares those do that have such, and the rulers, which run without.
 * @param {Scenario} scenario
 * @param {import('./servers.mjs').ServerKind} server
 */
export function takesPart(scenario, server) {
  if (scenario.servers !== undefined && !scenario.servers.includes(server.name)) return false;
  return scenario.middleware !== true || server.hasMiddleware === true || server.isPeer !== true;
}

/**
 * The parameters of a scenario in a kind of run.
 * @param {Scenario} scenario
 * @param {'full' | 'quick' | 'smoke'} mode
 */
export function parametersOf(scenario, mode) {
  return mode === 'full' ? scenario.parameters : { ...scenario.parameters, ...scenario[mode] };
}
