/**
 * The test vocabulary of this repository: a server per test, a client that speaks raw frames, waits with
 * deadlines instead of sleeps, and an oracle mode that runs the same tests against the published
 * `socketcluster-server` (`SERVER_UNDER_TEST=upstream npx vitest run --project node packages/server/test/wire`).
 *
 * ```ts
 * test('a procedure answers', async () => {
 *   const { open } = await startServer();
 *   const { client, socket } = await open();
 *   const request = nextValue(socket.procedure('add'));
 *   client.send({ event: 'add', data: [1, 2], cid: 2 });
 *   (await request).end(3);
 *   expect(await client.next()).toEqual({ rid: 2, data: 3 });
 * });
 * ```
 *
 * @module
 */
export { afterTest } from './after-test.js';
export { collected, consume } from './consume.js';
export { DEFAULT_DEADLINE_MS, withDeadline } from './deadline.js';
export { type Deferred, deferred } from './deferred.js';
export { DeliveryChecker } from './delivery-checker.js';
export { type DeliveryVerdict, type FailedPublish, faultsOf, type Stamp } from './delivery-verdict.js';
export { encodeFrame, type FrameOptions, OPCODES } from './encode-frame.js';
export { EventLog, type EventPredicate, type Listenable, type LoggedEvent } from './event-log.js';
export {
  type FakeConnectOptions,
  type FakeEngine,
  type FakeEngineOptions,
  FakeEngineServer,
  FakeWebSocket,
  fakeEngine,
  type VerifyClient,
  type VerifyInfo,
} from './fake-engine.js';
export { freePort } from './free-port.mjs';
export { type HeldUpgrades, holdUpgrades } from './held-upgrade.js';
export { MemoryEngine } from './memory-engine.js';
export type { NetworkShape } from './network-link.js';
export { programPath, programPathIfAny } from './program.js';
export {
  RawConnection,
  type RawConnectionOptions,
  type RawFrame,
  upgradeRequest,
} from './raw-connection.js';
export { requestUpgrade, type UpgradeAnswer, type UpgradeRequestOptions } from './request-upgrade.js';
export { startAgain, stop } from './restart.js';
export { answer, type Call, type Callable, onConnection, socketOf } from './serve-sockets.js';
export { isOracleMode, type OursOnly, ours, type ServerModule, serverModule } from './server-under-test.js';
export {
  type ExitInfo,
  launchServer,
  type SpawnedServer,
  type SpawnOptions,
  spawnServer,
} from './spawn-server.js';
export { nextValue, take } from './take.js';
export { startTcpRelay, type TcpRelay } from './tcp-relay.js';
export { turn, until } from './until.js';
export {
  type CloseInfo,
  type Frame,
  type Packet,
  WireClient,
  type WireClientOptions,
} from './wire-client.js';
export {
  type Connected,
  type ServerOptions,
  type StartedServer,
  type StartOptions,
  startServer,
} from './with-server.js';
