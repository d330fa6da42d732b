import fc from 'fast-check';
import { expect } from 'vitest';
import { CHANNELS, type SimulatedWorld } from './simulated-world.js';

/** What the application has asked for, as far as the commands themselves can know it. */
export interface Intent {
  isServerUp: boolean;
}

/** One thing that happens to a client. Every command is followed by some time, and then by {@link checkAlways}. */
class Happening implements fc.AsyncCommand<Intent, SimulatedWorld> {
  readonly #what: string;
  readonly #pauseMs: number;
  readonly #run: (world: SimulatedWorld, intent: Intent) => unknown;
  readonly #canRun: (intent: Intent) => boolean;

  constructor(
    what: string,
    pauseMs: number,
    run: (world: SimulatedWorld, intent: Intent) => unknown,
    canRun: (intent: Intent) => boolean,
  ) {
    this.#what = what;
    this.#pauseMs = pauseMs;
    this.#run = run;
    this.#canRun = canRun;
  }

  check(intent: Readonly<Intent>): boolean {
    return this.#canRun(intent);
  }

  async run(intent: Intent, world: SimulatedWorld): Promise<void> {
    world.events.push(`» ${this.toString()}`);
    await this.#run(world, intent);
    await world.clock.advance(this.#pauseMs);
    checkAlways(world);
  }

  toString(): string {
    return `${this.#what}, ${this.#pauseMs} ms`;
  }
}

/** What holds at any time. @throws {Error} that says what does not */
export function checkAlways({ client, wanted, faults, watch }: SimulatedWorld): void {
  const [fault] = [...faults, ...watch.faults];
  if (fault !== undefined) throw new Error(fault);
  const known = client.subscriptions(true).toSorted();
  if (String(known) !== String([...wanted].toSorted()))
    throw new Error(`The client knows of [${known.join()}], the application wants [${[...wanted].join()}]`);
  if ((client.state === 'open') !== (client.id !== null))
    throw new Error(`The client is ${client.state} and has the id ${client.id}`);
}

/** Whether the client was answered each time it showed a token; else it was told that it cannot know. */
export function knowsItsLogins({ promised }: SimulatedWorld): boolean {
  const isUnknown = (value: unknown): boolean =>
    (value as { delivery?: string } | null)?.delivery === 'unknown';
  return !promised.some(({ what, value }) => what === 'authenticate' && isUnknown(value));
}

/** Whether the two ends may see the end of a token at different times, or have just done so. */
function isAboutToExpire(token: { readonly exp?: number } | null): boolean {
  return token?.exp !== undefined && token.exp * 1000 - Date.now() < QUIET_MS;
}

/** Longer than everything that was said needs to be answered. */
const QUIET_MS = 5000;

/** On a connection that has been left in peace, both ends know the same. */
async function checkAgreement(world: SimulatedWorld): Promise<void> {
  const { client, server, network, device, clock } = world;
  const { id } = client;
  await clock.advance(QUIET_MS);
  if (id === null || client.id !== id || client.isBufferingBatch) return;
  if (device.isAsleep || network.hasLostLinks || server.heldCount > 0) return;
  const socket = server.socketOf(client);
  expect(client.subscriptions().toSorted(), 'what both ends think is subscribed').toEqual(
    socket?.subscriptions().toSorted(),
  );
  if (knowsItsLogins(world) && !isAboutToExpire(client.authToken))
    expect(client.authState, 'who is logged in, at both ends').toBe(socket?.authState);
}

/** One channel more often than the others, so that more than one thing happens to it. */
const name = fc.constantFrom(CHANNELS[0], CHANNELS[0], ...CHANNELS);
/** Often nothing happens between two commands, sometimes much. */
const pause = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 10, 40) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 90_000 }) },
);

interface HappeningOptions<T> {
  readonly of?: fc.Arbitrary<T>;
  readonly canRun?: (intent: Intent) => boolean;
  readonly run: (world: SimulatedWorld, value: T, intent: Intent) => unknown;
}

function happening<T = undefined>(what: string, options: HappeningOptions<T>): fc.Arbitrary<Happening> {
  const { of = fc.constant(undefined as T), canRun = () => true, run } = options;
  return fc
    .tuple(of, pause)
    .map(
      ([value, pauseMs]) =>
        new Happening(
          value === undefined ? what : `${what} ${JSON.stringify(value)}`,
          pauseMs,
          (world, intent) => run(world, value, intent),
          canRun,
        ),
    );
}

function onServer(what: string, options: HappeningOptions<string>): fc.Arbitrary<Happening> {
  return happening(what, { of: name, canRun: ({ isServerUp }) => isServerUp, ...options });
}

/** Calls and messages carry a value of their own each, by which they are known at the other end. */
function call(procedure: string, options: { timeout?: number } = {}): (world: SimulatedWorld) => void {
  return (world) => {
    const data = world.fresh();
    world.track(procedure, world.client.invoke(procedure, data, options), data);
  };
}

/** Everything that can happen to a client, by what is about to be found. */
export const happenings: readonly fc.Arbitrary<Happening>[] = [
  happening('nothing', { run: checkAgreement }),
  happening('subscribe', {
    of: fc.record({ name, priority: fc.constantFrom(0, 5) }),
    run: ({ client, wanted }, { name: channel, priority }) => {
      client.subscribe(channel, { priority, waitForAuth: channel === 'private' });
      wanted.add(channel);
    },
  }),
  happening('unsubscribe', {
    of: name,
    run: ({ client, wanted }, channel) => {
      client.unsubscribe(channel);
      wanted.delete(channel);
    },
  }),
  happening('unsubscribe and subscribe again', {
    of: name,
    run: ({ client, wanted }, channel) => {
      client.unsubscribe(channel);
      client.subscribe(channel, { waitForAuth: channel === 'private' });
      wanted.add(channel);
    },
  }),

  happening('connect', { run: ({ client }) => client.connect() }),
  happening('disconnect', {
    of: fc.constantFrom(1000, 4100),
    run: (world, code) => world.disconnect(code),
  }),
  happening('reconnect', { run: ({ client }) => client.reconnect() }),
  happening('the connection is cut', { run: ({ network }) => network.cutAll() }),
  happening('the connection is lost silently', { run: ({ network }) => network.loseAllSilently() }),
  happening('the network is gone', {
    run: ({ network, device }) => {
      network.isReachable = false;
      network.loseAllSilently();
      device.window.dispatch('offline');
    },
  }),
  happening('the network is back', {
    run: ({ network, device }) => {
      network.isReachable = true;
      device.window.dispatch('online');
    },
  }),
  happening('connections hang', {
    run: ({ network }) => {
      network.isHanging = true;
      network.cutAll();
    },
  }),
  happening('connections hang no more', {
    run: ({ network }) => {
      network.isHanging = false;
    },
  }),
  happening('the network has changed', {
    run: ({ network, device }) => {
      network.loseAllSilently();
      device.window.dispatch('online');
    },
  }),
  happening('the device sleeps', {
    run: ({ device, network }) => {
      device.sleep();
      network.loseAllSilently();
    },
  }),
  happening('the device naps', { run: ({ device }) => device.sleep() }),
  happening('the device wakes up', { run: ({ device }) => device.wakeUp() }),

  happening('the server stops', {
    run: async ({ server }, _, intent) => {
      intent.isServerUp = false;
      await server.stop();
    },
  }),
  happening('the server starts', {
    run: ({ server }, _, intent) => {
      intent.isServerUp = true;
      server.start();
    },
  }),
  happening('the server disconnects with', {
    of: fc.constantFrom(1000, 1001, 4100, 4500),
    run: ({ server, client }, code) => server.socketOf(client)?.disconnect(code),
  }),
  onServer('kick out of', {
    run: ({ server, client }, channel) =>
      server
        .socketOf(client)
        ?.kickOut(channel, 'out')
        .catch(() => {}),
  }),
  onServer('kick out, while it is subscribed to anew, of', {
    run: ({ server, client, wanted }, channel) => {
      void server
        .socketOf(client)
        ?.kickOut(channel, 'out')
        .catch(() => {});
      client.unsubscribe(channel);
      client.subscribe(channel, { waitForAuth: channel === 'private' });
      wanted.add(channel);
    },
  }),
  onServer('the server publishes to', {
    run: (world, channel) => world.server.running?.exchange.transmitPublish(channel, world.fresh()),
  }),
  happening('entry is refused to', { of: name, run: ({ server }, channel) => server.refused.add(channel) }),
  happening('entry is allowed to', {
    of: name,
    run: ({ server }, channel) => server.refused.delete(channel),
  }),

  happening('subscriptions are held up for', {
    of: fc.constantFrom(0, 500, 45_000),
    run: ({ server }, holdMs) => {
      server.holdMs = holdMs;
    },
  }),

  happening('publish to', {
    of: name,
    run: (world, channel) => world.track('publish', world.client.invokePublish(channel, world.fresh())),
  }),
  happening('call echo', { run: call('echo') }),
  happening('call slow', { run: call('slow') }),
  happening('call fail', { run: call('fail') }),
  happening('call nobody', { run: call('nobody') }),
  happening('call slow for a second', { run: call('slow', { timeout: 1000 }) }),
  happening('call slow and give it up', {
    of: fc.constantFrom(0, 1, 1500),
    run: (world, afterMs) => {
      const controller = new AbortController();
      const data = world.fresh();
      world.track('aborted', world.client.invoke('slow', data, { signal: controller.signal }), data);
      world.clock.set(() => controller.abort(), afterMs);
    },
  }),
  happening('a batch begins', { run: ({ client }) => client.startBatch() }),
  happening('the batch is sent', { run: ({ client }) => client.flushBatch() }),
  happening('batching begins', { run: ({ client }) => client.startBatching() }),
  happening('batching ends', { run: ({ client }) => client.stopBatching() }),
  happening('transmit', {
    run: (world) => {
      const data = world.fresh();
      world.track('transmit', world.client.transmit('tell', data), data);
    },
  }),

  happening('authenticate for', {
    of: fc.constantFrom(2000, 3_600_000, -1000),
    canRun: ({ isServerUp }) => isServerUp,
    run: async (world, lifeMs) => {
      const token = await world.server.sign('ada', lifeMs);
      world.track('authenticate', world.client.authenticate(token));
    },
  }),
  happening('authenticate, and log out at once', {
    canRun: ({ isServerUp }) => isServerUp,
    run: async (world) => {
      const token = await world.server.sign('eve', 3_600_000);
      world.track('given up', world.client.authenticate(token));
      world.track('deauthenticate', world.client.deauthenticate());
    },
  }),
  happening('authenticate with nonsense', {
    run: (world) => world.track('authenticate', world.client.authenticate('a.b.c')),
  }),
  happening('deauthenticate', {
    run: (world) => world.track('deauthenticate', world.client.deauthenticate()),
  }),
  happening('the server sets a token for', {
    of: fc.constantFrom(2000, 3_600_000),
    canRun: ({ isServerUp }) => isServerUp,
    run: async ({ server, client, clock }, lifeMs) => {
      // A logout that crosses the token on its way leaves the ends apart, and nothing in the protocol tells them.
      client.flushBatch();
      await clock.advance(1000);
      const claims = { user: 'bob', exp: Math.floor((Date.now() + lifeMs) / 1000) };
      await server.socketOf(client)?.setAuthToken(claims);
      await clock.advance(1000);
    },
  }),
  happening('the server takes the token away', {
    canRun: ({ isServerUp }) => isServerUp,
    run: ({ server, client }) => server.socketOf(client)?.deauthenticate(),
  }),
];
