import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import {
  launchServer,
  RawConnection,
  type RawConnectionOptions,
  type SpawnedServer,
  type SpawnOptions,
  WireClient,
  type WireClientOptions,
  withDeadline,
} from '@socketcluster-ts/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bystander, bystanderAddress } from './bystander.js';
import { ANY_BYTES, type Vitals, type VitalsQuestion } from './hostile-app.js';

/** How soon a fresh client has to be served after an attack. */
const FRESH_CLIENT_MS = 2000;
/**
 * How soon the server has to hold no more than before an attack: who leaves while its reading is paused is noticed with the
 * next ping, 8 s later at most.
 */
const RECOVERY_MS = 16_000;
/** How often the bystander has to have been served during an attack. */
const BYSTANDER_ROUNDS = 3;
const START_MS = 60_000;

/** What is asked of a server before the first attack. */
const ONLY_THE_BYSTANDER: Vitals = {
  clients: 1,
  pendingClients: 0,
  channels: ['bystander'],
  handles: Number.MAX_SAFE_INTEGER,
  bytes: ANY_BYTES,
  inherited: [],
};

/** The server under attack, as an attacker reaches it. What is opened here is ended when the attack is over. */
export interface Target {
  readonly port: number;
  readonly url: string;
  /** A WebSocket without `#handshake`. */
  connect(options?: WireClientOptions): Promise<WireClient>;
  /** A client that has completed its handshake. */
  open(options?: WireClientOptions): Promise<WireClient>;
  /** A TCP connection that has sent nothing. */
  dial(): Promise<RawConnection>;
  /** A WebSocket without `#handshake`, to which bytes are written. */
  upgrade(options?: RawConnectionOptions): Promise<RawConnection>;
}

/** Declares attacks, each a test. */
export interface Attack {
  (name: string, run: (target: Target) => Promise<void>): void;
  /** Declares one attack for each case; `%s` and `%j` in the name stand for the case, or for the items of an array. */
  each<T>(cases: readonly T[]): (name: string, run: (target: Target, value: T) => Promise<void>) => void;
}

/**
 * Starts a server process for the tests of the current file or `describe`, and gives what declares attacks on it.
 *
 * The attack itself expects the documented answer. Of every attack is demanded besides that
 *
 * - a bystander, connected all the time, gets each message that it publishes to itself, once and in order, soon enough;
 * - the process lives, and has not written anything to its error output;
 * - a fresh client is served within two seconds;
 * - what the server holds is back at what it was before the *first* attack: clients, channels, handles and memory.
 */
export function underAttack(options: SpawnOptions['options'] = {}, spawn: SpawnOptions = {}): Attack {
  let server: SpawnedServer;
  let bystander: Bystander;
  let base: Vitals | undefined;
  const atEnd: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await launchServer(
      {
        setup: fileURLToPath(new URL('./hostile-app.ts', import.meta.url)),
        execArgv: ['--expose-gc'],
        options,
        ...spawn,
      },
      (kill) => atEnd.push(kill),
    );
    bystander = await Bystander.watch(server.url);
    atEnd.push(() => bystander.leave());
  }, START_MS);

  afterAll(async () => {
    for (const end of atEnd.toReversed()) await end();
  });

  const declare = (name: string, run: (target: Target) => Promise<void>): void => {
    test(name, async () => {
      base ??= await firstVitals(server);
      const attackers = new Attackers(server);
      const watching = bystander.rounds(BYSTANDER_ROUNDS);
      try {
        await run(attackers);
      } finally {
        await attackers.leave();
      }
      await watching;
      expect(await bystander.report()).toMatchObject({ faults: [] });
      expect(server.exit, server.stderr).toBeUndefined();
      expect(server.stderr).toBe('');
      await withDeadline(serveFreshClient(server.url), 'a fresh client to be served', FRESH_CLIENT_MS);
      await recover(server, base);
    });
  };
  return Object.assign(declare, {
    each:
      <T>(cases: readonly T[]) =>
      (name: string, run: (target: Target, value: T) => Promise<void>) => {
        for (const value of cases) declare(titleOf(name, value), (target) => run(target, value));
      },
  });
}

/** Owns the connections of one attack. */
class Attackers implements Target {
  readonly port: number;
  readonly url: string;
  readonly #clients: WireClient[] = [];
  readonly #connections: RawConnection[] = [];

  constructor({ port, url }: SpawnedServer) {
    this.port = port;
    this.url = url;
  }

  async connect(options?: WireClientOptions): Promise<WireClient> {
    const client = await WireClient.connect(this.url, options);
    this.#clients.push(client);
    return client;
  }

  async open(options?: WireClientOptions): Promise<WireClient> {
    const client = await this.connect(options);
    await client.handshake();
    return client;
  }

  async dial(): Promise<RawConnection> {
    const connection = await RawConnection.open(this.port);
    this.#connections.push(connection);
    return connection;
  }

  async upgrade(options?: RawConnectionOptions): Promise<RawConnection> {
    const connection = await RawConnection.upgrade(this.port, options);
    this.#connections.push(connection);
    return connection;
  }

  async leave(): Promise<void> {
    for (const client of this.#clients) client.terminate();
    for (const connection of this.#connections) connection.reset();
    await Promise.all([...this.#clients, ...this.#connections].map(({ closed }) => closed));
  }
}

/** Everything that a well-behaved client does first. */
async function serveFreshClient(url: string): Promise<void> {
  const client = await WireClient.connect(url, { localAddress: bystanderAddress });
  expect(await client.handshake()).toMatchObject({ data: { isAuthenticated: false } });
  expect(await client.call('#subscribe', { channel: 'fresh' })).toEqual({ rid: 2 });
  client.transmit('#publish', { channel: 'fresh', data: 'news' });
  expect(await client.next((packet) => packet.event === '#publish')).toEqual({
    event: '#publish',
    data: { channel: 'fresh', data: 'news' },
  });
  expect(await client.call('echo', { a: 1 })).toEqual({ rid: 3, data: { a: 1 } });
  client.close();
  await client.closed;
}

/** What a server holds that has served its first clients: twice, because the first time compiles what it runs. */
async function firstVitals(server: SpawnedServer): Promise<Vitals> {
  for (let round = 0; round < 2; round += 1) await serveFreshClient(server.url);
  return recover(server, ONLY_THE_BYSTANDER);
}

/** The vitals of the server, once they are back at what they were. */
async function recover({ process }: SpawnedServer, base: Vitals): Promise<Vitals> {
  const question: VitalsQuestion = { base, deadlineMs: RECOVERY_MS };
  const answered = new Promise<{ vitals: Vitals; isBack: boolean }>((resolve) => {
    process.once('message', resolve);
  });
  process.send(question);
  const { vitals, isBack } = await withDeadline(answered, 'the vitals of the server', 2 * RECOVERY_MS);
  expect(vitals.inherited).toEqual([]);
  if (!isBack)
    throw new Error(`The server held ${JSON.stringify(base)}, and holds ${JSON.stringify(vitals)}`);
  return vitals;
}

function titleOf(name: string, value: unknown): string {
  const count = name.match(/%[sj]/g)?.length ?? 0;
  return format(name, ...(Array.isArray(value) ? (value as unknown[]).slice(0, count) : [value]));
}
