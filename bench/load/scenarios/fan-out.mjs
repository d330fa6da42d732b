/** One publisher, channels with subscribers: everybody gets every message, once, in order, unchanged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExpectedStream } from '../expected-stream.mjs';
import { Latencies } from '../latencies.mjs';
import { Meter } from '../meter.mjs';
import { openConnections } from '../open-connections.mjs';
import { Payloads } from '../payload.mjs';
import { Publisher } from '../publisher.mjs';
import { StreamSubscriber } from '../stream-subscriber.mjs';
import { until } from '../until.mjs';
import { openSlowReaders } from './slow-readers.mjs';

/**
 * @typedef {object} FanOut
 * @property {number} channels
 * @property {number} subscribers of each channel, each on a connection of its own
 * @property {number} bytes of the data of a message
 * @property {number} outstanding how many messages may be in flight, of all channels together
 * @property {number} [perSecond] publish at this rate, instead of as fast as messages arrive
 * @property {number} [slowReaders] how many more subscribers the first channel has that read too slowly
 * @property {number} warmUpMs
 * @property {number} measureMs
 * @property {number} [least] how many messages, if that takes longer
 * @property {number} stallMs without any progress end a run
 */

/** @param {import('../run.mjs').Run & { parameters: FanOut }} run */
export async function fanOut(run) {
  const { parameters, faults, dialect } = run;
  const payloads = new Payloads(parameters.bytes);
  const latencies = new Latencies();
  const channels = Array.from({ length: parameters.channels }, (_, index) => `channel-${index}`);
  const inFlight = 2 ** Math.ceil(Math.log2(Math.max(256, parameters.perSecond ?? parameters.outstanding)));
  const streams = new Map(
    channels.map((name) => [
      name,
      new ExpectedStream(parameters.subscribers, inFlight, () => publisher.complete()),
    ]),
  );
  const connections = await openConnections(run, {
    count: parameters.channels * parameters.subscribers,
    name: 'subscriber',
    channelsOf: (index) => [channels[index % channels.length]],
  });
  const slow = await openSlowReaders(run, parameters.slowReaders ?? 0, channels[0], payloads);
  const [publishing] = await openConnections(run, { count: 1, name: 'publisher' });
  const publisher = new Publisher(publishing, {
    streams,
    payloads,
    dialect,
    outstanding: parameters.outstanding,
  });
  let lastAt = 0;
  const afterChunk = () => {
    lastAt = performance.now();
    publisher.next();
  };
  const subscribers = connections.map((connection, index) => {
    const channel = channels[index % channels.length];
    return new StreamSubscriber(connection, streams.get(channel), {
      name: `subscriber ${index}`,
      channel,
      payloads,
      faults,
      afterChunk,
    });
  });

  const patience = { progress: () => lastAt, faults, stallMs: parameters.stallMs };
  const publishFor = async (milliseconds) => {
    if (parameters.perSecond === undefined) {
      const end = performance.now() + milliseconds;
      const least = publisher.completed + (parameters.least ?? 0);
      publisher.start();
      await until(() => performance.now() >= end && publisher.completed >= least, patience);
      publisher.stop();
    } else await publishAtRate(publisher, parameters.perSecond, milliseconds);
    return until(() => publisher.inFlight === 0, patience);
  };

  const meter = new Meter(run);
  let figures;
  if (await publishFor(parameters.warmUpMs)) {
    for (const stream of streams.values()) stream.latencies = latencies;
    const before = publisher.completed;
    slow.startSlowly();
    await meter.begin();
    if (await publishFor(parameters.measureMs)) {
      const deliveries = (publisher.completed - before) * parameters.subscribers;
      figures = { ...(await meter.end(deliveries, lastAt)), latencyMs: latencies.summary() };
      Object.assign(figures, await slow.drain(streams.get(channels[0]).sent, parameters.stallMs));
    }
  }
  for (const subscriber of subscribers) subscriber.finish();
  return figures;
}

async function publishAtRate(publisher, perSecond, milliseconds) {
  const begin = performance.now();
  const count = Math.round((perSecond * milliseconds) / 1000);
  for (let index = 0; index < count; index += 1) {
    const due = begin + (index * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    if (!publisher.send(1)) throw new Error('The server cannot keep up: too many messages are in flight.');
  }
}
