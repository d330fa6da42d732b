/** Subscribers that stop reading for good, while many others are served: what they cost the server, and what the others notice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExpectedStream } from '../expected-stream.mjs';
import { Latencies } from '../latencies.mjs';
import { Meter } from '../meter.mjs';
import { openConnections } from '../open-connections.mjs';
import { Payloads } from '../payload.mjs';
import { residentBytes } from '../process-cost.mjs';
import { Publisher } from '../publisher.mjs';
import { StreamSubscriber } from '../stream-subscriber.mjs';
import { until } from '../until.mjs';

const TICK_MS = 10;
const CHANNEL = 'channel-0';
const BULK = 'bulk';

/**
 * @typedef {object} StoppedReaders
 * @property {number} subscribers that read
 * @property {number} stopped how many more stop reading
 * @property {number} bytes of the data of a message to everybody
 * @property {number} perSecond so many of them
 * @property {number} bulkBytes of the data of a message to those who stop
 * @property {number} bulkPerSecond so many of them
 * @property {number} warmUpMs
 * @property {number} beforeMs of what is measured, while all read
 * @property {number} measureMs after ten have stopped
 * @property {number} sampleMs
 * @property {number} stallMs without any progress end a run
 */

/** @param {import('../run.mjs').Run & { parameters: StoppedReaders }} run */
export async function stoppedReaders(run) {
  const { parameters, faults, dialect, pid } = run;
  const payloads = new Payloads(parameters.bytes);
  const stream = new ExpectedStream(parameters.subscribers, 1024, () => publisher.complete());
  const channelsOf = () => [CHANNEL];
  const connections = await openConnections(run, {
    count: parameters.subscribers,
    name: 'reader',
    channelsOf,
  });
  const stopped = await openConnections(run, {
    count: parameters.stopped,
    name: 'reader that stops',
    channelsOf: () => [CHANNEL, BULK],
  });
  // What they get is not checked: those who stop may be cut off, or miss messages, as the server sees fit.
  for (const connection of stopped) connection.onDelivery = () => {};
  const [publishing, bulky] = await openConnections(run, { count: 2, name: 'publisher' });
  const publisher = new Publisher(publishing, {
    streams: new Map([[CHANNEL, stream]]),
    payloads,
    dialect,
    outstanding: 1,
  });
  const bulk = dialect.publish(BULK, 'x'.repeat(parameters.bulkBytes));
  let lastAt = 0;
  const afterChunk = () => {
    lastAt = performance.now();
    publisher.next();
  };
  const subscribers = connections.map(
    (connection, index) =>
      new StreamSubscriber(connection, stream, {
        name: `reader ${index}`,
        channel: CHANNEL,
        payloads,
        faults,
        afterChunk,
      }),
  );

  const all = new Latencies();
  const recent = new Latencies();
  stream.latencies = {
    record(milliseconds, count) {
      all.record(milliseconds, count);
      recent.record(milliseconds, count);
    },
  };
  const timeline = [];
  const patience = { progress: () => lastAt, faults, stallMs: parameters.stallMs };
  const publishFor = async (milliseconds, sample) => {
    const begin = performance.now();
    let small = 0;
    let large = 0;
    let sampledAt = begin;
    for (let now = begin; now - begin < milliseconds; now = performance.now()) {
      const seconds = (now - begin) / 1000;
      for (; small < seconds * parameters.perSecond; small += 1) {
        if (!publisher.send(1))
          throw new Error('The server cannot keep up: too many messages are in flight.');
      }
      for (; large < seconds * parameters.bulkPerSecond; large += 1) bulky.send(bulk);
      if (sample !== undefined && now - sampledAt >= parameters.sampleMs) {
        sampledAt = now;
        sample();
      }
      await sleep(TICK_MS);
    }
    return until(() => publisher.inFlight === 0, patience);
  };

  const meter = new Meter(run);
  let figures;
  if (await publishFor(parameters.warmUpMs)) {
    await meter.begin();
    const beginAt = performance.now();
    const completedBefore = publisher.completed;
    const residentBefore = residentBytes(pid);
    let mostResident = residentBefore;
    const sample = () => {
      const resident = residentBytes(pid);
      mostResident = Math.max(mostResident, resident);
      const seconds = (performance.now() - beginAt) / 1000;
      timeline.push({ seconds, residentBytes: resident, p99Ms: recent.percentile(0.99) });
      recent.reset();
    };
    all.reset();
    recent.reset();
    if (await publishFor(parameters.beforeMs, sample)) {
      const before = all.summary();
      all.reset();
      for (const connection of stopped) connection.stopForGood();
      if (await publishFor(parameters.measureMs, sample)) {
        const deliveries = (publisher.completed - completedBefore) * parameters.subscribers;
        figures = {
          ...(await meter.end(deliveries, lastAt)),
          latencyMs: all.summary(),
          latencyBeforeMs: before,
          grownBytes: mostResident - residentBefore,
          timeline,
        };
      }
    }
  }
  for (const subscriber of subscribers) subscriber.finish();
  return figures;
}
