/**
 * Whatever happens to a client, in whatever order, ends well: random sequences of happenings on a simulated network
 * and clock, against the real AGServer, whose engine is in memory.
 *
 * `SIMULATION_SEED=<number>` repeats the random runs of a failure, and `SIMULATION_RUNS` says how many there are.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkAlways, happenings, type Intent, knowsItsLogins } from './client-commands.js';
import { CHANNELS, SimulatedWorld, type WorldSetup } from './simulated-world.js';

/** Longer than everything that can still be under way: a dead connection is noticed, and a new one is made. */
const RECOVERY_MS = 180_000;

const FIXED_SEED = 20_260_101;
/** A sequence takes some 5 ms on a machine that is not busy. */
const TIMEOUT = { timeout: 120_000 };
const RUNS = Number(process.env['SIMULATION_RUNS'] ?? 120);

const setups: fc.Arbitrary<WorldSetup> = fc.record({
  seed: fc.nat(),
  latencyMs: fc.constantFrom(1, 25, 400),
  webSocket: fc.constantFrom('native', 'ws'),
  hasTokenSource: fc.boolean(),
  batchOnHandshake: fc.boolean(),
  compat: fc.constantFrom(null, null, 'v20'),
  endsAbruptly: fc.boolean(),
});

async function live(
  setup: WorldSetup,
  commands: Iterable<fc.AsyncCommand<Intent, SimulatedWorld>>,
): Promise<void> {
  const world = new SimulatedWorld(setup);
  try {
    await fc.asyncModelRun(() => ({ model: { isServerUp: true }, real: world }), commands);
    if (!setup.endsAbruptly) await recover(world);
    await end(world);
  } catch (error) {
    if (error instanceof Error) error.message += `\n  ${world.events.slice(-60).join('\n  ')}`;
    throw error;
  } finally {
    world.dispose();
  }
}

/** When the world is well again, everything that is wanted is there. */
async function recover(world: SimulatedWorld): Promise<void> {
  const { client, server, clock, wanted } = world;
  world.events.push('» the world is well again');
  world.heal();
  // What is still on its way may end the connection for good, which is no fault: the application connects again.
  await clock.advance(40_000);
  world.connectIfEnded();
  await clock.advance(RECOVERY_MS);
  checkAlways(world);
  expect(client.state).toBe('open');
  const socket = server.socketOf(client);
  expect(Object.values(server.running?.clients ?? {}), 'the sockets of the server').toEqual([socket]);
  if (knowsItsLogins(world))
    expect(client.authState, 'who is logged in, at both ends').toBe(socket?.authState);
  const due = [...wanted].filter((name) => name !== 'private' || client.authState === 'authenticated');
  expect(client.subscriptions(), 'what is subscribed').toEqual(expect.arrayContaining(due));
  expect(socket?.subscriptions().toSorted(), 'what the server thinks').toEqual(
    client.subscriptions().toSorted(),
  );
  for (const promise of world.promised) checkPromise(world, promise.what, promise.sent, promise);

  for (const name of CHANNELS) client.unsubscribe(name);
  wanted.clear();
  for (const name of CHANNELS) void server.running?.exchange.transmitPublish(name, 'after the end');
  await clock.advance(5000);
  checkAlways(world);
  expect(socket?.subscriptions()).toEqual([]);
  expect(server.errors).toEqual([]);
}

/** What a caller was told is true. */
function checkPromise(
  { server }: SimulatedWorld,
  what: string,
  sent: unknown,
  { outcome, value }: { outcome: string; value?: unknown },
): void {
  expect(outcome, `${what} ${String(sent)}`).not.toBe('pending');
  const arrivals = server.received.filter((data) => data === sent).length;
  if (sent !== undefined)
    expect(arrivals, `how often ${what} ${String(sent)} arrived`).toBeLessThanOrEqual(1);
  if (outcome === 'rejected') {
    expect(value, what).toBeInstanceOf(Error);
    const { delivery } = value as { delivery?: string };
    if (delivery === 'not-sent') expect(arrivals, `${what} was said not to be sent`).toBe(0);
  } else if (what === 'echo' || what === 'slow') expect(value).toBe(sent);
}

/** When the client is closed, nothing of it is left. */
async function end(world: SimulatedWorld): Promise<void> {
  const { client, device, clock, server } = world;
  device.wakeUp();
  let left: number[] | undefined;
  const closed = client.close().then(() => {
    left = [device.pendingTimers, device.window.listenerCount, device.document.listenerCount];
  });
  world.track('close', closed);
  await clock.advance(10_000);
  expect(world.promised.filter(({ outcome }) => outcome === 'pending')).toEqual([]);
  expect(left, 'timers and listeners of the client when it was closed').toEqual([0, 0, 0]);
  await server.stop();
  await clock.advance(120_000);
  expect(clock.pendingTimers, 'timers of anybody').toBe(0);
}

function property(
  maxCommands: number,
): fc.IAsyncProperty<[WorldSetup, Iterable<fc.AsyncCommand<Intent, SimulatedWorld>>]> {
  return fc.asyncProperty(setups, fc.commands([...happenings], { maxCommands, size: 'max' }), live);
}

test('a client recovers from everything, in the sequences of a fixed seed', TIMEOUT, async () => {
  await fc.assert(property(40), { numRuns: RUNS, seed: FIXED_SEED });
});

test('a client recovers from everything, in sequences never tried before', TIMEOUT, async () => {
  const seed = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 2 ** 31);
  await fc.assert(property(40), { numRuns: RUNS, seed });
});
