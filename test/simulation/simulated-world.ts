import { type AGClientSocket, type ClientOptions, create } from '@socketcluster-ts/client';
import { DuplicateWatch } from './duplicate-watch.js';
import { SimulatedDevice } from './simulated-device.js';
import { SimulatedNetwork } from './simulated-network.js';
import { SimulatedServer } from './simulated-server.js';
import { VirtualClock } from './virtual-clock.js';

/** The channels of the simulation; `private` is the one that waits for a token. */
export const CHANNELS = ['news', 'chat', 'private'] as const;

/** What differs between one simulation and the next. */
export interface WorldSetup {
  readonly seed: number;
  readonly latencyMs: number;
  /** Which kind of WebSocket the client finds. */
  readonly webSocket: 'native' | 'ws';
  /** Whether the client gets tokens for itself. */
  readonly hasTokenSource: boolean;
  readonly batchOnHandshake: boolean;
  readonly compat: 'v20' | null;
  /** Whether the client is closed in the middle of it all, not when everything is well again. */
  readonly endsAbruptly: boolean;
}

/** A promise that a client gave, and what became of it. */
export interface Promised {
  readonly what: string;
  /** The data that was sent, if any; no two are the same. */
  readonly sent: unknown;
  outcome: 'pending' | 'fulfilled' | 'rejected';
  value?: unknown;
}

/** Why a subscription may fail: the server refuses it, or does not answer. */
const FAILURES: ReadonlySet<string> = new Set(['RefusedError', 'TimeoutError']);

/** The address of the simulated server; nothing looks it up. */
const ADDRESS = { hostname: 'simulated.example', port: 80, secure: false };

/**
 * Owns one client, one real server, the network and the time between them, and everything that was seen to go wrong.
 *
 * The world knows what the application behind the client wants, as it would itself: by what it asked for and by the
 * events that told it of failures.
 */
export class SimulatedWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly device: SimulatedDevice;
  readonly watch: DuplicateWatch = new DuplicateWatch();
  readonly network: SimulatedNetwork;
  readonly server: SimulatedServer;
  readonly client: AGClientSocket;
  /** The channels that the application wants; one that failed or was ended is taken out by the event that says so. */
  readonly wanted: Set<string> = new Set();
  readonly promised: Promised[] = [];
  readonly faults: string[] = [];
  /** Names of the events of the client, in order, for whoever looks into a failure. */
  readonly events: string[] = [];
  readonly #uninstall: () => void;
  #count = 0;
  #hasStopped = false;

  constructor(setup: WorldSetup) {
    this.#uninstall = this.clock.install();
    this.device = new SimulatedDevice(this.clock, setup.seed);
    this.network = new SimulatedNetwork(this.clock, this.device, this.watch, setup.latencyMs);
    this.server = new SimulatedServer(this.network, this.clock);
    this.client = create({ ...ADDRESS, ...this.#options(setup) });
    this.#observe();
  }

  /** A value that was never used before, to be recognised when it arrives. */
  fresh(): string {
    this.#count += 1;
    return `#${this.#count}`;
  }

  /** Keeps an eye on a promise of the client. */
  track(what: string, promise: Promise<unknown>, sent?: unknown): void {
    const entry: Promised = { what, sent, outcome: 'pending' };
    this.promised.push(entry);
    promise.then(
      (value) => Object.assign(entry, { outcome: 'fulfilled', value }),
      (error: unknown) => Object.assign(entry, { outcome: 'rejected', value: error }),
    );
  }

  /** Makes everything well again: the network, the server, the device. */
  heal(): void {
    this.server.refused.clear();
    this.server.holdMs = 0;
    this.client.stopBatching();
    this.client.flushBatch();
    this.network.isReachable = true;
    this.network.isHanging = false;
    this.server.start();
    this.device.wakeUp();
  }

  /** Closes as an application does that wants to be left alone; also when the client is about to connect again. */
  disconnect(code: number): void {
    if (this.client.state === 'closed') this.#hasStopped = true;
    this.client.disconnect(code);
  }

  /** Connects if the last connection ended in a way after which a client does not come back by itself. */
  connectIfEnded(): void {
    if (this.client.state === 'closed' && this.#hasStopped) this.client.connect();
  }

  /** Puts the globals back; the world is of no use any more. */
  dispose(): void {
    this.#uninstall();
  }

  #options(setup: WorldSetup): ClientOptions {
    const { now, setTimeout, clearTimeout, random, window, document } = this.device;
    return {
      environment: {
        now,
        setTimeout,
        clearTimeout,
        random,
        window,
        document,
        WebSocket: this.network.webSocketClass(setup.webSocket),
      },
      batchOnHandshake: setup.batchOnHandshake,
      compat: setup.compat,
      ...(setup.hasTokenSource ? { getToken: () => this.#tokenInAMoment() } : {}),
    };
  }

  async #tokenInAMoment(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.clock.set(resolve, 300);
    });
    return this.server.sign('ada', 60_000);
  }

  #observe(): void {
    const { client } = this;
    const events = [
      'connecting',
      'connect',
      'connectAbort',
      'disconnect',
      'subscribe',
      'unsubscribe',
    ] as const;
    for (const name of events) this.#loop(client.listener(name), () => this.events.push(name));
    this.#loop(client.listener('close'), ({ code }) => {
      this.#hasStopped = code === 1000 || code >= 4500;
    });
    this.#loop(client.listener('connecting'), () => {
      this.#hasStopped = false;
    });
    this.#loop(client.listener('error'), ({ error }) => {
      this.events.push(`error ${String(error)}`);
      if (!(error instanceof Error)) this.faults.push(`An error is no Error: ${String(error)}`);
    });
    this.#loop(client.listener('subscribeFail'), ({ channel, error }) => {
      this.events.push(`subscribeFail ${channel} ${String(error)}`);
      // A connection that is lost is no failure of the subscription: it is made again.
      if (!(error instanceof Error) || !FAILURES.has(error.name))
        this.faults.push(`'${channel}' failed for the reason ${String(error)}`);
      this.wanted.delete(channel);
    });
    this.#loop(client.listener('kickOut'), ({ channel }) => {
      this.events.push(`kickOut ${channel}`);
      this.wanted.delete(channel);
    });
    for (const name of CHANNELS) {
      this.#loop(client.channel(name), (message) => {
        if (!this.wanted.has(name))
          this.faults.push(`'${name}' delivered ${String(message)} without being wanted`);
      });
    }
  }

  #loop<T>(stream: AsyncIterable<T>, handle: (value: T) => void): void {
    void (async () => {
      for await (const value of stream) handle(value);
    })();
  }
}
