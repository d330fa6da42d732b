import type { BrokerLink } from '@socketcluster-ts/server';
import { until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import {
  CLUSTER_DEADLINE_MS,
  type ClusterNode,
  messages,
  publish,
  startCluster,
  startNode,
  subscribe,
} from './cluster-node.js';
import { checkDelivery } from './delivery.js';

/** A messaging engine that links are tried out with. */
export interface EngineUnderTest {
  /** A new link to it, with its own connection. */
  link(): BrokerLink;
  /** Takes the engine away as a crash does. */
  stop(): Promise<void>;
  /** Starts it again at the same place, without what it knew. */
  start(): Promise<void>;
  /** Has the engine answer nothing, without closing a connection. */
  pause(): void;
  /** Ends that. */
  resume(): void;
}

const NAMES = [
  'plain',
  'with space',
  'a.b.>',
  '*',
  '{slot}x',
  'ümlaut/漢字/😀',
  'line\nbreak',
  '$SYS/x',
  '-1',
  '__proto__',
];

/** What holds for every link; `engine()` gives the engine of the current test, running. */
export function describeLink(name: string, engine: () => Promise<EngineUnderTest> | EngineUnderTest): void {
  describe(`${name}: nodes of a cluster`, () => {
    test('a message reaches the subscribers of every node once, and is not echoed', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2)) as [ClusterNode, ClusterNode];
      const here = await one.subscriber('news');
      const there = await two.subscriber('news');
      expect(await publish(here, 'news', { n: 1, text: 'ü 😀' })).toBeUndefined();
      expect(await publish(there, 'news', 'back')).toBeUndefined();
      await until(() => messages(here, 'news').length >= 2 && messages(there, 'news').length >= 2);
      // Behind what may still be on its way from the engine.
      expect(await publish(there, 'news', 'end')).toBeUndefined();
      await until(() => messages(here, 'news').includes('end'));
      expect(messages(here, 'news')).toEqual([{ n: 1, text: 'ü 😀' }, 'back', 'end']);
      expect(messages(there, 'news')).toEqual([{ n: 1, text: 'ü 😀' }, 'back', 'end']);
      expect(one.broker.stats).toMatchObject({ accepted: 1, received: 2, dropped: 0, unconfirmed: 0 });
      expect(two.broker.stats).toMatchObject({ accepted: 2, received: 1, dropped: 0, unconfirmed: 0 });
    });

    test('the servers themselves publish and subscribe across nodes', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2)) as [ClusterNode, ClusterNode];
      const received: unknown[] = [];
      const channel = one.started.server.exchange.subscribe('log');
      void channel.each((data) => void received.push(data));
      await until(() => one.broker.stats.channels === 1 && one.broker.status === 'connected');
      const client = await one.subscriber('log');
      await two.started.server.exchange.invokePublish('log', { level: 1 });
      await two.started.server.exchange.transmitPublish('log', undefined);
      await until(() => received.length === 2 && messages(client, 'log').length === 2);
      expect(received).toEqual([{ level: 1 }, undefined]);
      expect(client.received.filter(({ event }) => event === '#publish').map(({ data }) => data)).toEqual([
        { channel: 'log', data: { level: 1 } },
        { channel: 'log' },
      ]);
    });

    test('a node gets only channels that it has subscribers for, and lets go of them after a grace', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2, { grace: 50 })) as [ClusterNode, ClusterNode];
      const reader = await one.subscriber('wanted');
      const writer = await two.client();
      for (let n = 0; n < 20; n += 1) await publish(writer, 'unwanted', n);
      await publish(writer, 'wanted', 'yes');
      await until(() => messages(reader, 'wanted').length === 1);
      expect(one.broker.stats.received).toBe(1);
      await reader.call('#unsubscribe', 'wanted');
      await until(() => one.broker.stats.channels === 0);
      await publish(writer, 'wanted', 'gone');
      await subscribe(reader, 'other');
      await publish(writer, 'other', 'fence');
      await until(() => messages(reader, 'other').length === 1);
      expect(one.broker.stats.received).toBe(2);
    });

    test('once a subscription is answered, messages of other nodes arrive', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2, { grace: 1 })) as [ClusterNode, ClusterNode];
      const reader = await one.client();
      const writer = await two.client();
      for (let n = 0; n < 30; n += 1) {
        const channel = `join-${n % 3}`;
        await subscribe(reader, channel);
        expect(await publish(writer, channel, n)).toBeUndefined();
        await until(() => messages(reader, channel).includes(n));
        await reader.call('#unsubscribe', channel);
      }
      expect(one.broker.stats.received).toBe(30);
    });

    test('names of channels may be any text', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2)) as [ClusterNode, ClusterNode];
      const reader = await one.client();
      const writer = await two.client();
      for (const channel of NAMES) await subscribe(reader, channel);
      for (const channel of NAMES) expect(await publish(writer, channel, channel)).toBeUndefined();
      await until(() => NAMES.every((channel) => messages(reader, channel).length === 1));
      expect(NAMES.flatMap((channel) => messages(reader, channel))).toEqual(NAMES);
      // Half of a surrogate pair has no UTF-8: another channel would get it.
      expect(await publish(writer, '\ud800', 1)).toContain('well-formed');
    });

    test('many channels and many messages of one turn arrive, each channel in its order', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2)) as [ClusterNode, ClusterNode];
      const reader = await one.client();
      const channels = Array.from({ length: 100 }, (_, n) => `many/${n}`);
      await Promise.all(channels.map((channel) => subscribe(reader, channel)));
      const { exchange } = two.started.server;
      const accepted: Promise<void>[] = [];
      for (let n = 0; n < 20; n += 1)
        for (const channel of channels) accepted.push(exchange.invokePublish(channel, n));
      await Promise.all(accepted);
      const order = Array.from({ length: 20 }, (_, n) => n);
      await until(
        () => channels.every((channel) => messages(reader, channel).length >= 20),
        CLUSTER_DEADLINE_MS,
      );
      for (const channel of channels) expect(messages(reader, channel)).toEqual(order);
    });

    test('long messages arrive, longer ones are refused for everybody', async () => {
      const { link } = await engine();
      const [one, two] = (await startCluster(() => link(), 2, { maxMessageBytes: 300_000 })) as [
        ClusterNode,
        ClusterNode,
      ];
      const reader = await one.subscriber('long');
      const writer = await two.subscriber('long');
      const text = 'long '.repeat(50_000);
      expect(await publish(writer, 'long', text)).toBeUndefined();
      const refused = await publish(writer, 'long', text + text);
      expect(refused).toMatch(/BrokerError: .*500\d\d\d bytes.*300000 \(maxMessageBytes\)/);
      expect(await publish(writer, 'long', 'end')).toBeUndefined();
      await until(() => messages(reader, 'long').includes('end'));
      expect(messages(reader, 'long')).toEqual([text, 'end']);
      expect(messages(writer, 'long')).toEqual([text, 'end']);
    });

    test('a codec with binary frames crosses as it is', async () => {
      const { link } = await engine();
      const codecEngine = {
        encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
        decode: (message: unknown) => JSON.parse(String(message)) as unknown,
      };
      const one = await startNode(link(), {}, { codecEngine });
      const two = await startNode(link(), {}, { codecEngine });
      const channel = one.started.server.exchange.subscribe<number[]>('binary');
      const received: unknown[] = [];
      void channel.each((data) => void received.push(data));
      await until(() => [one, two].every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
      // Answered when the engine has confirmed the channel.
      await one.broker.subscribeClient({ id: 'watcher', transmit: () => {} }, 'binary');
      await two.started.server.exchange.invokePublish('binary', [1, 2, 3]);
      await until(() => received.length === 1);
      expect(received).toEqual([[1, 2, 3]]);
    });

    test.each([2, 4])('%i nodes: every message once, in order per publisher, no echo', async (size) => {
      const { link } = await engine();
      const nodes = await startCluster(() => link(), size);
      const verdict = await checkDelivery(nodes, { channels: 5, messagesEach: 40 });
      expect(verdict).toEqual({ missing: 0, duplicates: 0, outOfOrder: 0, refused: 0 });
    });
  });

  describe(`${name}: an engine that goes away`, () => {
    test('clients of a node reach each other, what is published waits, subscriptions are restored with a gap', async () => {
      const { link, stop, start } = await engine();
      const [one, two] = (await startCluster(() => link(), 2, { ackTimeout: 20_000 })) as [
        ClusterNode,
        ClusterNode,
      ];
      const reader = await one.subscriber('room');
      const writer = await two.subscriber('room');
      await stop();
      await until(() => [one, two].every(({ broker }) => broker.status === 'degraded'), CLUSTER_DEADLINE_MS);
      expect(two.started.server.brokerEngine.isReady).toBe(false);

      const latecomer = await one.subscriber('room');
      const accepted = publish(writer, 'room', 'while it was away');
      await until(() => messages(writer, 'room').length === 1);
      const local = publish(latecomer, 'room', 'among us');
      await until(() => messages(reader, 'room').length === 1);
      expect(two.broker.stats.buffered).toBe(1);

      await start();
      await until(() => [one, two].every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
      expect(await accepted).toBeUndefined();
      expect(await local).toBeUndefined();
      for (const client of [reader, writer, latecomer]) {
        const gap = await client.next(({ event }) => event === '#gap');
        expect(gap.data).toEqual({ channel: 'room', dropped: null });
      }
      expect(await publish(writer, 'room', 'back again')).toBeUndefined();
      await until(() => messages(reader, 'room').includes('back again'), CLUSTER_DEADLINE_MS);
      expect(messages(latecomer, 'room').filter((each) => each === 'back again')).toHaveLength(1);
      expect(one.log.of('gap')).toEqual([{ channel: 'room', dropped: null }]);
    });

    test('what cannot be sent in time is rejected, and does not arrive later', async () => {
      const { link, stop, start } = await engine();
      const [one, two] = (await startCluster(() => link(), 2, { ackTimeout: 1000 })) as [
        ClusterNode,
        ClusterNode,
      ];
      const reader = await one.subscriber('room');
      const writer = await two.client();
      await stop();
      await until(() => two.broker.status === 'degraded', CLUSTER_DEADLINE_MS);
      expect(await publish(writer, 'room', 'lost')).toMatch(/BrokerError: .*did not leave this node/);
      writer.transmit('#publish', { channel: 'room', data: 'lost, too' });
      await until(() => two.broker.stats.dropped === 2);
      await start();
      await until(() => [one, two].every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
      expect(await publish(writer, 'room', 'arrives')).toBeUndefined();
      await until(() => messages(reader, 'room').length > 0, CLUSTER_DEADLINE_MS);
      expect(messages(reader, 'room')).toEqual(['arrives']);
      expect(two.broker.stats).toMatchObject({ dropped: 2, buffered: 0, bufferedBytes: 0 });
    });

    test('what an engine was given that does not answer is not confirmed, and nothing arrives twice', async (context) => {
      const { link, pause, resume } = await engine();
      const [one, two] = (await startCluster(() => link(), 2, { ackTimeout: 1000 })) as [
        ClusterNode,
        ClusterNode,
      ];
      const reader = await one.subscriber('paused');
      const writer = await two.subscriber('paused');
      pause();
      context.onTestFinished(resume);
      expect(await publish(writer, 'paused', 'early')).toMatch(
        /BrokerError: .*(?:did not confirm the message|was not confirmed)/,
      );
      expect(messages(writer, 'paused')).toEqual(['early']);
      resume();
      await until(() => [one, two].every(({ broker }) => broker.status === 'connected'), CLUSTER_DEADLINE_MS);
      expect(await publish(writer, 'paused', 'late')).toBeUndefined();
      await until(() => messages(reader, 'paused').includes('late'), CLUSTER_DEADLINE_MS);
      const received = messages(reader, 'paused');
      expect([['late'], ['early', 'late']]).toContainEqual(received);
      expect(two.broker.stats).toMatchObject({ unconfirmed: 1, dropped: 0 });
    });

    test('a node that starts without an engine serves its clients, and joins the others later', async () => {
      const { link, stop, start } = await engine();
      await stop();
      const one = await startNode(link());
      await until(() => one.broker.status === 'degraded', CLUSTER_DEADLINE_MS);
      expect(one.started.server.isReady).toBe(false);
      const reader = await one.subscriber('early');
      const friend = await one.subscriber('early');
      friend.transmit('#publish', { channel: 'early', data: 'hello' });
      await until(() => messages(reader, 'early').length === 1);
      await start();
      const [two] = (await startCluster(() => link(), 1)) as [ClusterNode];
      await until(() => one.broker.status === 'connected', CLUSTER_DEADLINE_MS);
      await until(() => one.started.server.isReady);
      const writer = await two.client();
      expect(await publish(writer, 'early', 'from two')).toBeUndefined();
      await until(() => messages(reader, 'early').includes('from two'), CLUSTER_DEADLINE_MS);
      expect(messages(reader, 'early').at(-1)).toBe('from two');
    });
  });
}
