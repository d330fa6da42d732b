import { expect } from 'vitest';
import type { Balancer } from './balancer.js';
import type { CheckedLoad } from './checked-load.js';
import type { FaultRun } from './fault-row.js';
import {
  type FaultServer,
  type FaultServerOptions,
  type Membership,
  pass,
  type ServerState,
  startFaultServer,
  untilState,
} from './fault-server.js';

/** A server of a cluster, in a process of its own, and the clients it serves. */
export interface FaultNode {
  readonly server: FaultServer;
  readonly load: CheckedLoad;
  /** Channels of which it said that messages may have been missed, in order. */
  readonly gaps: readonly string[];
  /** How often it had been degraded when it joined. */
  readonly degradedBefore: number;
}

/** Within this time a node must say how it is. */
export const TRUTH_WITHIN_MS = 10_000;

/** How much may wait at a node for the engine; less than a load publishes while an engine is away. */
export const MAX_BUFFERED_MESSAGES = 100;

/** How a node differs from the other ones. */
export interface FaultNodeOptions extends Pick<FaultServerOptions, 'setup'> {
  /** Where its clients connect: a balancer that does not know the node yet. @default the node */
  readonly entrance?: Balancer;
}

const PAIRS = 3;
const PUBLISH_EVERY_MS = 200;

/** Owns the nodes of a cluster in one run of a row, each with clients of its own, half ours and half published. */
export class FaultCluster {
  readonly nodes: FaultNode[] = [];
  readonly #run: FaultRun;

  constructor(run: FaultRun) {
    this.#run = run;
  }

  /** Starts one more node; resolves once its clients were served with what all clients of the cluster publish. */
  async add(membership: Membership, { entrance, ...options }: FaultNodeOptions = {}): Promise<FaultNode> {
    const gaps: string[] = [];
    const served: { load?: CheckedLoad } = {};
    const server = await startFaultServer({
      ...options,
      membership: { relay: { maxBufferedMessages: MAX_BUFFERED_MESSAGES }, ...membership },
      onGap: (channel) => {
        gaps.push(channel);
        served.load?.isBehind(channel);
      },
    });
    const { degradations } = await untilState(server, isWell, TRUTH_WITHIN_MS);
    entrance?.add(server.port);
    const load = await this.#run.load({
      port: entrance?.port ?? server.port,
      prefix: `node-${this.nodes.length}-`,
      pairs: PAIRS,
      publishEveryMs: PUBLISH_EVERY_MS,
      acrossNodes: true,
    });
    served.load = load;
    const node = { server, load, gaps, degradedBefore: degradations };
    this.nodes.push(node);
    return node;
  }

  /** Lets a random time pass under load, in which a fault may begin. */
  async calm(): Promise<void> {
    await pass(this.#run.between(100, 1200));
  }

  /**
   * Resolves once these nodes have said since they joined that they are degraded, and not ready, be it for a moment;
   * fails when one does not in time.
   */
  async degraded(nodes: readonly FaultNode[] = this.nodes): Promise<void> {
    await Promise.all(
      nodes.map(({ server, degradedBefore }) =>
        untilState(server, ({ degradations }) => degradations > degradedBefore, TRUTH_WITHIN_MS),
      ),
    );
  }

  /** Lets a fault last, and fails when more waits at a node than may wait. Resolves with the most that waited. */
  async lasts(ms: number): Promise<number> {
    const end = performance.now() + ms;
    let most = 0;
    while (performance.now() < end) {
      for (const { server } of this.nodes) most = Math.max(most, (await server.state()).relay?.buffered ?? 0);
      expect(most).toBeLessThanOrEqual(MAX_BUFFERED_MESSAGES);
      await pass(Math.max(0, Math.min(100, end - performance.now())));
    }
    return most;
  }

  /**
   * After a fault: everybody is served with what everybody publishes, every node says in time that it is well, nobody
   * was cut, and no more waited than may wait.
   */
  async heals(since: number): Promise<void> {
    await this.#run.heals(since);
    for (const { server, load } of this.nodes) {
      const { relay } = await untilState(server, isWell, TRUTH_WITHIN_MS);
      expect(relay?.buffered).toBeLessThanOrEqual(MAX_BUFFERED_MESSAGES);
      expect(load.endingsSince(0)).toEqual({});
      expect(server.exit).toBeUndefined();
    }
  }

  /** How many messages did not leave their nodes, or were not confirmed; each was answered with an error. */
  async failedPublishes(): Promise<number> {
    const states = await Promise.all(this.nodes.map(({ server }) => server.state()));
    return states.reduce((sum, { relay }) => sum + (relay?.dropped ?? 0) + (relay?.unconfirmed ?? 0), 0);
  }
}

function isWell({ isReady, relay }: ServerState): boolean {
  return isReady && relay?.status === 'connected';
}
