import type { AGRequest } from '@socketcluster-ts/core';
import type { ActionsByMiddleware, AGServerSocket, MiddlewareFunction } from '@socketcluster-ts/server';
import {
  type Connected,
  consume,
  nextValue,
  ours,
  type ServerOptions,
  type StartedServer,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { expect } from 'vitest';
import { WebSocketServer } from 'ws';
import { type Decision, type ModelServer, summary, WireModel } from './wire-model.js';

/** Another class than the one of the fast lane, so the server knows it by its public methods only. */
class OtherServer extends WebSocketServer {}

const ENGINES: readonly (readonly [string, ServerOptions])[] = [
  ['with shared frames', {}],
  ['on compressed connections', { perMessageDeflate: { threshold: 0 } }],
  ['with a WebSocket module that is not ws', { wsEngine: { Server: OtherServer } }],
];
const CLIENTS = 2;

type Command =
  | { readonly act: 'publish' | 'turn' }
  | { readonly act: 'outbound middleware' | 'inbound middleware'; readonly isOn: boolean }
  | { readonly act: 'decide'; readonly client: number; readonly decision: Decision }
  | { readonly act: 'reply' | 'client publish'; readonly client: number; readonly isGood: boolean }
  | { readonly act: ClientAction; readonly client: number };

const CLIENT_ACTIONS = [
  'transmit',
  'invoke',
  'deauthenticate',
  'raw send',
  'client transmit',
  'client call',
  'start batch',
  'flush batch',
  'cancel batch',
  'start batching',
  'stop batching',
] as const;
type ClientAction = (typeof CLIENT_ACTIONS)[number] | 'disconnect';

const client = fc.nat({ max: CLIENTS - 1 });
const isOn = fc.boolean();
const COMMANDS: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 48, arbitrary: fc.record({ act: fc.constantFrom(...CLIENT_ACTIONS), client }) },
    { weight: 20, arbitrary: fc.record({ act: fc.constantFrom('publish' as const, 'turn' as const) }) },
    {
      weight: 20,
      arbitrary: fc.record({
        act: fc.constantFrom('reply' as const, 'client publish' as const),
        client,
        isGood: fc.boolean(),
      }),
    },
    {
      weight: 20,
      arbitrary: fc.record({
        act: fc.constant('decide' as const),
        client,
        decision: fc.constantFrom<Decision>('allow', 'allow', 'block', 'replace'),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        act: fc.constantFrom('outbound middleware' as const, 'inbound middleware' as const),
        isOn,
      }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('disconnect' as const), client }) },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
);

type Inbound = ActionsByMiddleware<AGServerSocket>['inbound'];
type Outbound = MiddlewareFunction<ActionsByMiddleware<AGServerSocket>['outbound']>;

/** One client, the server's socket of it, and what must arrive. */
class Peer {
  readonly model: WireModel;
  readonly #connected: Connected;
  readonly #arrivedBefore: number;
  /** Publishes that wait in the body of a middleware loop. */
  readonly undecided: ((decision: Decision) => void)[] = [];
  readonly #requests: AGRequest<AGServerSocket>[] = [];
  readonly #called: number[] = [];
  readonly #heard: unknown[] = [];
  readonly #told: unknown[] = [];
  #replies = 0;
  #lastCid = 1000;

  constructor(connected: Connected, server: ModelServer) {
    this.model = new WireModel(server);
    this.#connected = connected;
    this.#arrivedBefore = connected.client.received.length;
    void consume(connected.socket.procedure('asked'), (request) => this.#requests.push(request));
    void consume(connected.socket.receiver('told'), (data) => this.#heard.push(data));
  }

  get socket(): AGServerSocket {
    return this.#connected.socket;
  }

  act(action: ClientAction, value: number): void {
    const { client: peer, socket } = this.#connected;
    const { model } = this;
    if (model.isClosed) return;
    switch (action) {
      case 'transmit':
        void socket.transmit('hear', value);
        model.send('hear', value);
        break;
      case 'invoke':
        // Nobody answers; the close of the connection ends it.
        socket.invoke('answer', value).catch(() => {});
        model.send('answer', value);
        break;
      case 'deauthenticate':
        void socket.deauthenticate();
        model.send('#removeAuthToken', undefined);
        break;
      case 'raw send':
        // When the clock may send a batch before or after it, it has no place in the order.
        if (model.batching === 'by interval') break;
        socket.send(JSON.stringify({ event: 'raw', data: value }));
        model.sendRaw('raw', value);
        break;
      case 'client transmit':
        peer.transmit('told', value);
        this.#told.push(value);
        break;
      case 'client call':
        peer.send({ event: 'asked', data: value, cid: ++this.#lastCid });
        this.#called.push(this.#lastCid);
        break;
      case 'disconnect':
        void socket.disconnect(4123, 'done');
        model.disconnect();
        break;
      default:
        this.#batch(action);
    }
  }

  #batch(action: 'start batch' | 'flush batch' | 'cancel batch' | 'start batching' | 'stop batching'): void {
    const { socket, model } = this;
    if (action === 'start batch') {
      socket.startBatch();
      model.startBatch();
    } else if (action === 'start batching') {
      socket.startBatching();
      model.startBatching();
    } else if (action === 'cancel batch') {
      // Of batching by an interval nobody knows how much is left to cancel.
      if (model.batching === 'by interval') return;
      socket.cancelBatch();
      model.cancelBatch();
    } else {
      if (action === 'flush batch') socket.flushBatch();
      else socket.stopBatching();
      model.endBatch(action === 'stop batching');
    }
  }

  /** Answers the oldest call that has no answer. */
  async reply(isGood: boolean): Promise<void> {
    const cid = this.#called[this.#replies];
    if (cid === undefined || this.model.isClosed) return;
    await until(() => this.#requests.length > this.#replies);
    const request = this.#requests[this.#replies++];
    expect(request?.id).toBe(cid);
    if (isGood) {
      request?.end('good');
      this.model.answer(cid, 'good');
    } else {
      request?.error(new Error('bad'));
      this.model.fail(cid, 'bad');
    }
  }

  async decide(decision: Decision): Promise<void> {
    if (!this.model.isUndecided) return;
    await until(() => this.undecided.length > 0);
    expect(this.undecided).toHaveLength(1);
    this.undecided.shift()?.(decision);
    await turn();
    this.model.decide(decision);
  }

  publish(value: number, isAcknowledged: boolean): number | undefined {
    const cid = isAcknowledged ? ++this.#lastCid : undefined;
    this.#connected.client.send({ event: '#publish', data: { channel: 'c', data: value }, cid });
    return cid;
  }

  /** Closes the connection if that has not happened yet, and compares all that arrived. */
  async check(value: number): Promise<void> {
    this.act('transmit', value);
    this.act('disconnect', value);
    const { client: peer } = this.#connected;
    expect(await peer.ended()).toEqual({ code: 4123, reason: 'done' });
    const received = peer.received.slice(this.#arrivedBefore);
    expect(received.map(summary)).toEqual(this.model.wire);
    const cids = received.flatMap(({ cid }) => (cid === undefined ? [] : [Number(cid)]));
    expect(cids).toEqual(cids.toSorted((a, b) => a - b));
    expect(this.#heard).toEqual(this.#told.slice(0, this.#heard.length));
    expect(this.#requests.map(({ id }) => id)).toEqual(this.#called.slice(0, this.#requests.length));
  }
}

class World {
  readonly #started: StartedServer;
  readonly #model: ModelServer = { isAsking: false };
  readonly peers: Peer[] = [];
  #lastValue = 0;

  constructor(started: StartedServer) {
    this.#started = started;
  }

  async open(): Promise<void> {
    const connected = await this.#started.open({ perMessageDeflate: true });
    await connected.client.call('#subscribe', { channel: 'c' });
    this.peers.push(new Peer(connected, this.#model));
  }

  async run(commands: readonly Command[]): Promise<void> {
    for (const command of commands) await this.#do(command);
    for (const peer of this.peers) await peer.check(++this.#lastValue);
  }

  async #do(command: Command): Promise<void> {
    const value = ++this.#lastValue;
    const peer = 'client' in command ? this.peers[command.client] : undefined;
    if ('isOn' in command) this.#setMiddleware(command.act, command.isOn);
    else if (command.act === 'turn') await turn();
    else if (command.act === 'publish') {
      void this.#started.server.exchange.transmitPublish('c', value);
      this.#expectPublish(value);
    } else if (peer === undefined) throw new Error(`There is no client for ${JSON.stringify(command)}`);
    else if ('decision' in command) await peer.decide(command.decision);
    else if (command.act === 'reply') await peer.reply(command.isGood);
    else if (command.act === 'client publish') await this.#publishBy(peer, value, command.isGood);
    else peer.act(command.act, value);
  }

  /** Goes on when the server has published it, which is the moment that counts for the order. */
  async #publishBy(peer: Peer, value: number, isAcknowledged: boolean): Promise<void> {
    if (peer.model.isClosed) return;
    const published = nextValue(this.#started.server.brokerEngine.listener('publish'));
    const cid = peer.publish(value, isAcknowledged);
    await published;
    this.#expectPublish(value);
    if (cid !== undefined) peer.model.answer(cid, undefined);
  }

  #expectPublish(value: number): void {
    for (const { model } of this.peers) model.send('#publish', { channel: 'c', data: value });
  }

  #setMiddleware(act: 'outbound middleware' | 'inbound middleware', shallBeSet: boolean): void {
    const { server } = this.#started;
    const type = act === 'outbound middleware' ? server.MIDDLEWARE_OUTBOUND : server.MIDDLEWARE_INBOUND;
    if (server.hasMiddleware(type) === shallBeSet) return;
    if (!shallBeSet) server.removeMiddleware(type);
    else if (type === server.MIDDLEWARE_INBOUND)
      server.setMiddleware(server.MIDDLEWARE_INBOUND, allowInTime());
    else server.setMiddleware(server.MIDDLEWARE_OUTBOUND, this.#waitForDecision());
    if (type === server.MIDDLEWARE_OUTBOUND) this.#model.isAsking = shallBeSet;
  }

  /** A function of its own at each call: one that replaces another gets streams of its own. */
  #waitForDecision(): Outbound {
    return (stream) =>
      consume(stream, async (action) => {
        const peer = this.peers.find(({ socket }) => socket === action.socket);
        const decision = await new Promise<Decision>((resolve) => peer?.undecided.push(resolve));
        if (decision === 'block') action.block();
        else if (decision === 'allow') action.allow();
        else action.allow({ data: 'replaced' });
      });
  }
}

/**
 * Allows everything, at once or some turns later, each action by itself: the order is kept by the server, which asks about
 * a packet when the one before is over.
 */
function allowInTime(): MiddlewareFunction<Inbound> {
  let count = 0;
  const decide = async (action: Inbound): Promise<void> => {
    count += 1;
    for (let left = count % 3; left > 0; left -= 1) await turn();
    // The loop of a closed connection ends, and what it left undecided is blocked.
    if (action.outcome === null) action.allow();
  };
  return (stream) => consume(stream, (action) => void decide(action));
}

ours.each(ENGINES)('%s: whatever is mixed, the wire has the order of the model', async ([, options]) => {
  await fc.assert(
    fc.asyncProperty(COMMANDS, async (commands) => {
      await using started = await startServer({ ...options, batchInterval: 2 });
      const world = new World(started);
      for (let count = 0; count < CLIENTS; count += 1) await world.open();
      await world.run(commands);
    }),
    { numRuns: 60 },
  );
});
