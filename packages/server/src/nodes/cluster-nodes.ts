import { Deadline, type DeadlineScheduler } from '@socketcluster-ts/core';
import type { ChannelInfo, ClusterLine, ClusterView, NodeInfo, NodeLoad } from '../exchange/cluster-line.js';
import { type NodeMessage, parseNodeMessage } from './node-message.js';

/** How often a node says that it is there. */
const BEAT_MS = 3000;
/** After so long without a word a node is taken to be gone: three beats and some. */
const LEASE_MS = 10_000;
/** How long the other nodes may take to count the subscribers of a channel. */
const COUNT_TIMEOUT_MS = 2000;
/** More nodes than a cluster has are not remembered. */
const MAX_NODES = 4096;

/** What is asked of the server of this node. */
export interface NodeOwner {
  readonly deadlines: DeadlineScheduler;
  /** The figures of now, but for `cpu`. */
  load(): NodeLoad;
  /** The clients of this node that are subscribed to a channel. */
  countSubscribers(channel: string): number;
  emitWarning(warning: unknown): void;
}

/** What the other nodes answered. */
export interface Answers {
  /** By node. */
  readonly data: ReadonlyMap<string, unknown>;
  /** The errors, by node. */
  readonly errors: ReadonlyMap<string, string>;
  /** Who did not answer in time. */
  readonly missing: readonly string[];
}

/** Answers a question of another node. */
type Handler = (data: unknown) => unknown;

interface KnownNode {
  readonly load: NodeLoad;
  /** Monotonic time, in ms. */
  readonly heardAt: number;
}

interface Question {
  readonly waiting: Set<string>;
  readonly data: Map<string, unknown>;
  readonly errors: Map<string, string>;
  readonly deadline: Deadline<number>;
  readonly resolve: (answers: Answers) => void;
}

/**
 * Owns what this node knows of the others: who is there, how busy they are, and the questions that they have not answered.
 *
 * There is no coordinator. Each node says every three seconds that it is there, and is forgotten when it has not for ten,
 * or says that it goes. Without a {@link ClusterLine} the node is alone.
 */
export class ClusterNodes implements ClusterView {
  readonly #owner: NodeOwner;
  readonly #line: ClusterLine | undefined;
  readonly #nodes = new Map<string, KnownNode>();
  readonly #handlers = new Map<string, Handler>();
  readonly #questions = new Map<number, Question>();
  readonly #beat: Deadline<this>;
  #lastId = 0;
  #isOver = false;

  constructor(owner: NodeOwner, line: ClusterLine | undefined) {
    this.#owner = owner;
    this.#line = line;
    this.#beat = new Deadline((nodes) => nodes.#onBeat(), this);
    this.handle('subscribers', (channel) =>
      typeof channel === 'string' ? this.#owner.countSubscribers(channel) : 0,
    );
    line?.join({
      onMessage: (node, message) => this.#take(node, message),
      onOpen: () => this.#introduce(),
      onClosing: () => this.close(),
    });
  }

  /** Answers questions of this kind from now on; what the function throws is the answer, too. */
  handle(kind: string, handler: Handler): void {
    this.#handlers.set(kind, handler);
  }

  list(): NodeInfo[] {
    const self = {
      id: this.#line?.nodeId ?? 'self',
      isSelf: true,
      load: this.#owner.load(),
      ageMs: 0,
    };
    this.#forgetSilent();
    const now = performance.now();
    const others = [...this.#nodes].map(([id, { load, heardAt }]) => ({
      id,
      isSelf: false,
      load,
      ageMs: now - heardAt,
    }));
    return [self, ...others];
  }

  async channelInfo(channel: string): Promise<ChannelInfo> {
    const { data, missing, errors } = await this.ask('subscribers', channel, COUNT_TIMEOUT_MS);
    const nodes: Record<string, number> = Object.create(null) as Record<string, number>;
    nodes[this.#line?.nodeId ?? 'self'] = this.#owner.countSubscribers(channel);
    for (const [node, count] of data) nodes[node] = typeof count === 'number' ? count : 0;
    const silent = [...missing, ...errors.keys()];
    return {
      channel,
      subscribers: Object.values(nodes).reduce((sum, count) => sum + count, 0),
      nodes,
      complete: silent.length === 0,
      missing: silent,
    };
  }

  /** Asks all other nodes that are known; resolves when all have answered, or the time is over. */
  ask(kind: string, data: unknown, timeoutMs: number): Promise<Answers> {
    this.#forgetSilent();
    const line = this.#line;
    if (line === undefined || this.#nodes.size === 0 || this.#isOver) {
      return Promise.resolve({ data: new Map(), errors: new Map(), missing: [] });
    }
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const question: Question = {
        waiting: new Set(this.#nodes.keys()),
        data: new Map(),
        errors: new Map(),
        deadline: new Deadline((asked) => this.#settle(asked), id),
        resolve,
      };
      this.#questions.set(id, question);
      this.#owner.deadlines.schedule(question.deadline, timeoutMs);
      line.send({ type: 'ask', id, kind, data } satisfies NodeMessage);
    });
  }

  /** Says that this node goes, and waits for nobody any more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.deadlines.cancel(this.#beat);
    this.#line?.send({ type: 'bye' } satisfies NodeMessage);
    for (const id of this.#questions.keys()) this.#settle(id);
  }

  #introduce(): void {
    if (this.#isOver) return;
    this.#sayHere(true);
    this.#owner.deadlines.schedule(this.#beat, BEAT_MS);
  }

  #onBeat(): void {
    if (this.#isOver) return;
    this.#forgetSilent();
    this.#sayHere(false);
    this.#owner.deadlines.schedule(this.#beat, BEAT_MS);
  }

  #sayHere(hello: boolean, to?: string): void {
    this.#line?.send({ type: 'beat', load: this.#owner.load(), hello } satisfies NodeMessage, to);
  }

  #forgetSilent(): void {
    const since = performance.now() - LEASE_MS;
    for (const [id, { heardAt }] of this.#nodes) if (heardAt < since) this.#forget(id);
  }

  #forget(node: string): void {
    this.#nodes.delete(node);
    for (const [id, { waiting }] of this.#questions) {
      if (waiting.has(node) && waiting.size === 1) this.#settle(id);
    }
  }

  #take(node: string, value: unknown): void {
    const message = parseNodeMessage(value);
    if (message === undefined || this.#isOver) return;
    switch (message.type) {
      case 'beat':
        if (!this.#nodes.has(node) && this.#nodes.size >= MAX_NODES) return;
        this.#nodes.set(node, { load: message.load, heardAt: performance.now() });
        if (message.hello === true) this.#sayHere(false, node);
        return;
      case 'bye':
        this.#forget(node);
        return;
      case 'ask':
        void this.#answer(node, message);
        return;
      case 'answer':
        this.#takeAnswer(node, message);
        return;
      default:
    }
  }

  async #answer(node: string, { id, kind, data }: NodeMessage & { type: 'ask' }): Promise<void> {
    let answer: NodeMessage;
    try {
      const handler = this.#handlers.get(kind);
      if (handler === undefined)
        throw new Error(`This node does not know the question ${JSON.stringify(kind)}`);
      answer = { type: 'answer', id, data: await handler(data) };
    } catch (error) {
      answer = { type: 'answer', id, error: error instanceof Error ? error.message : String(error) };
    }
    try {
      this.#line?.send(answer, node);
    } catch (error) {
      this.#owner.emitWarning(error);
    }
  }

  #takeAnswer(node: string, { id, data, error }: NodeMessage & { type: 'answer' }): void {
    const question = this.#questions.get(id);
    if (question === undefined || !question.waiting.delete(node)) return;
    if (error === undefined) question.data.set(node, data);
    else question.errors.set(node, error);
    if (question.waiting.size === 0) this.#settle(id);
  }

  #settle(id: number): void {
    const question = this.#questions.get(id);
    if (question === undefined) return;
    this.#questions.delete(id);
    this.#owner.deadlines.cancel(question.deadline);
    question.resolve({ data: question.data, errors: question.errors, missing: [...question.waiting] });
  }
}
