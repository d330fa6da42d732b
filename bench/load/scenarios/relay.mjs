/**
 * What is published on one node and delivered on another: every message once, in order, unchanged. Each route has a publisher on one node, and
 * rooms with one subscriber each on another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../connection.mjs';
import { ExpectedStream } from '../expected-stream.mjs';
import { Latencies } from '../latencies.mjs';
import { Payloads } from '../payload.mjs';
import { cpuMicros } from '../process-cost.mjs';
import { Publisher } from '../publisher.mjs';
import { StreamSubscriber } from '../stream-subscriber.mjs';
import { until } from '../until.mjs';

/**
 * @typedef {object} Relay
 * @property {{ from: number, to: number }[]} routes ports: where each publisher is connected, and where its subscribers are
 * @property {Record<string, number[]>} processes whose time is taken, by their part
 * @property {number} rooms of each route
 * @property {number} bytes of the data of a message
 * @property {number} outstanding how many messages of each route may be in flight
 * @property {number} [perSecond] publish at this rate, instead of as fast as messages arrive
 * @property {number} warmUpMs
 * @property {number} measureMs
 * @property {number} stallMs without any progress end a run
 */

/** Latencies and rates of a run are those of all routes together. */
const IN_FLIGHT = 1024;

/** @param {import('../run.mjs').Run & { parameters: Relay }} run */
export async function relay(run) {
  const { parameters, faults, ask } = run;
  const progress = { lastAt: 0 };
  const routes = [];
  for (const [index, route] of parameters.routes.entries()) {
    routes.push(await openRoute(run, route, { index, progress }));
  }
  const publishers = routes.map(({ publisher }) => publisher);
  const completed = () => publishers.reduce((sum, publisher) => sum + publisher.completed, 0);
  const patience = { progress: () => progress.lastAt, faults, stallMs: parameters.stallMs };
  const publishFor = async (milliseconds, perSecond) => {
    const end = performance.now() + milliseconds;
    if (perSecond === undefined) {
      for (const publisher of publishers) publisher.start();
      await until(() => performance.now() >= end, patience);
      for (const publisher of publishers) publisher.stop();
    } else await publishAtRate(publishers, perSecond, milliseconds);
    return until(() => publishers.every(({ inFlight }) => inFlight === 0), patience);
  };

  let figures;
  // As fast as it goes, whatever is measured then: code that runs at a rate is compiled late.
  if (await publishFor(parameters.warmUpMs)) {
    const latencies = new Latencies();
    for (const { streams } of routes) for (const stream of streams) stream.latencies = latencies;
    const before = completed();
    await ask('begin');
    const costs = readCosts(parameters.processes);
    const begin = performance.now();
    if (await publishFor(parameters.measureMs, parameters.perSecond)) {
      const operations = completed() - before;
      const seconds = (progress.lastAt - begin) / 1000;
      await ask('end');
      figures = {
        operations,
        perSecond: operations / seconds,
        cpuMicros: costsSince(costs, parameters.processes, operations),
        latencyMs: latencies.summary(),
      };
    }
  }
  for (const { subscribers } of routes) for (const subscriber of subscribers) subscriber.finish();
  return figures;
}

async function openRoute(run, { from, to }, { index, progress }) {
  const { parameters, faults, dialect } = run;
  const { rooms, bytes, outstanding } = parameters;
  const payloads = new Payloads(bytes);
  const channels = Array.from({ length: rooms }, (_, room) => `room-${index}-${room}`);
  const streams = channels.map(() => new ExpectedStream(1, IN_FLIGHT, () => publisher.complete()));
  const publishing = new Connection({ port: from, dialect, faults }, `publisher ${index}`);
  await publishing.open();
  const publisher = new Publisher(publishing, {
    streams: new Map(channels.map((channel, room) => [channel, streams[room]])),
    payloads,
    dialect,
    outstanding,
  });
  const subscribers = [];
  for (const [room, channel] of channels.entries()) {
    const name = `subscriber of ${channel}`;
    const connection = new Connection({ port: to, dialect, faults }, name);
    await connection.open();
    await connection.subscribe(channel);
    const afterChunk = () => {
      progress.lastAt = performance.now();
      publisher.next();
    };
    subscribers.push(
      new StreamSubscriber(connection, streams[room], { name, channel, payloads, faults, afterChunk }),
    );
  }
  return { publisher, streams, subscribers };
}

async function publishAtRate(publishers, perSecond, milliseconds) {
  const begin = performance.now();
  const count = Math.round((perSecond * milliseconds) / 1000);
  for (let index = 0; index < count; index += 1) {
    const wait = begin + (index * 1000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    for (const publisher of publishers) {
      if (!publisher.send(1)) throw new Error('The nodes cannot keep up: too many messages are in flight.');
    }
  }
}

function readCosts(processes) {
  return Object.fromEntries(Object.entries(processes).map(([part, pids]) => [part, microsOf(pids)]));
}

function microsOf(pids) {
  return pids.reduce((total, pid) => total + cpuMicros(pid), 0);
}

/** Microseconds of each part, per message. */
function costsSince(before, processes, operations) {
  const now = readCosts(processes);
  return Object.fromEntries(Object.keys(now).map((part) => [part, (now[part] - before[part]) / operations]));
}
