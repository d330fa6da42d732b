import { consume, EventLog, nextValue, ours, startServer, take } from '@socketcluster-ts/testkit';
import { afterEach, describe, expect, test } from 'vitest';

/** Names that an object inherits, or that mean something to it. */
const INHERITED = [
  'constructor',
  '__proto__',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
] as const;

const ODD = [
  'prototype',
  '',
  ' ',
  '0',
  '-1',
  'null',
  'then',
  'length',
  'x'.repeat(255),
  '😀👩‍👩‍👧‍👦',
  'a/b',
  'a/listener',
  'line\nbreak',
  '\u0000',
  '\u2028',
  '"quoted"',
] as const;

const NAMES = [...INHERITED, ...ODD];

/** Own keys of the prototypes that a careless look-up would write to. */
const snapshot = (): string =>
  [Object.prototype, Object, Function.prototype, Array.prototype, String.prototype]
    .map((holder) => Reflect.ownKeys(holder).map(String).join())
    .join('|');
const before = snapshot();

afterEach(() => {
  const polluted: string[] = [];
  for (const key in {}) polluted.push(key);
  expect(polluted).toEqual([]);
  expect(snapshot()).toBe(before);
});

/** Uses a name for everything that has one; gives the channel events of the socket that did. */
async function useEverywhere(name: string): Promise<unknown[]> {
  const { open, server } = await startServer();
  const { client, socket } = await open();
  const log = new EventLog().record(socket, ['subscribe', 'unsubscribe']);

  client.transmit(name, 'nobody listens');
  client.send({ event: name, cid: 77 });
  await client.fence();
  expect(client.received.filter((packet) => packet.rid === 77)).toEqual([]);

  const received = nextValue(socket.receiver(name));
  client.send({ event: name, data: 'told' });
  expect(await received).toBe('told');

  const called = nextValue(socket.procedure(name));
  client.send({ event: name, data: 'asked', cid: 78 });
  const request = await called;
  expect(request).toMatchObject({ procedure: name, data: 'asked' });
  request.end('answered');
  expect(await client.next((packet) => packet.rid === 78)).toEqual({ rid: 78, data: 'answered' });

  await socket.transmit(name, 'to the client');
  expect(await client.next((packet) => packet.event === name)).toMatchObject({ data: 'to the client' });
  const asked = socket.invoke(name);
  expect(await client.next((packet) => packet.cid === 1)).toEqual({ event: name, cid: 1 });
  client.send({ rid: 1, data: 'answer' });
  expect(await asked).toBe('answer');

  expect(socket.isSubscribed(name)).toBe(false);
  expect(server.exchange.isSubscribed(name)).toBe(false);
  expect(await client.call('#unsubscribe', name)).toMatchObject({ error: { name: 'BrokerError' } });
  expect(socket.channelSubscriptionsCount).toBe(0);
  expect(await client.call('#subscribe', { channel: name })).not.toHaveProperty('error');
  expect(socket.subscriptions()).toEqual([name]);
  expect(Object.keys(socket.channelSubscriptions)).toEqual([name]);
  expect(socket.isSubscribed(name)).toBe(true);
  const exchanged = nextValue(server.exchange.subscribe(name));
  await client.call('#publish', { channel: name, data: 'published' });
  expect(await exchanged).toBe('published');
  expect(await client.next((packet) => packet.event === '#publish')).toEqual({
    event: '#publish',
    data: { channel: name, data: 'published' },
  });
  expect(server.brokerEngine.subscriptions()).toEqual([name]);
  expect(server.exchange.subscriptions()).toEqual([name]);
  expect(await client.call('#unsubscribe', name)).not.toHaveProperty('error');
  await server.exchange.unsubscribe(name);
  expect(socket.channelSubscriptionsCount).toBe(0);
  expect(server.brokerEngine.subscriptions()).toEqual([]);
  return log.events.map((event) => [event.name, event.payload['channel']]);
}

describe('an event, a procedure and a channel', () => {
  const used = (name: string): unknown[] => [
    ['subscribe', name],
    ['unsubscribe', name],
  ];

  ours.each(INHERITED)('may be named %j', async (name) => {
    expect(await useEverywhere(name)).toEqual(used(name));
  });

  test.for(ODD)('may be named %j', async (name) => {
    expect(await useEverywhere(name)).toEqual(used(name));
  });
});

describe('unusual names', () => {
  ours('do not loosen the limit of channels', async () => {
    const { open } = await startServer({ socketChannelLimit: 1 });
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'a' });
    for (const name of NAMES) {
      expect(await client.call('#unsubscribe', name)).toHaveProperty('error');
      expect(await client.call('#subscribe', { channel: name })).toHaveProperty('error');
    }
    expect(socket.channelSubscriptionsCount).toBe(1);
    expect(socket.subscriptions()).toEqual(['a']);
  });

  ours('are kept apart from each other, all on one socket', async () => {
    const { open } = await startServer();
    const { client } = await open();
    for (const channel of NAMES) await client.call('#subscribe', { channel });
    for (const channel of NAMES) {
      client.transmit('#publish', { channel, data: 'mine' });
      expect(await client.next()).toEqual({ event: '#publish', data: { channel, data: 'mine' } });
    }
    await client.fence();
    expect(client.received.filter((packet) => packet.event === '#publish')).toHaveLength(NAMES.length);
  });

  ours('as keys of data come through and pollute nothing', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    const data = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const received = take(socket.receiver('told'), 1);
    client.send(`{"event":"told","data":${data}}`);
    expect(JSON.stringify(await received)).toBe(`[${data}]`);
    client.send(`{"event":"#publish","data":{"channel":"c","data":${data}}}`);
    const frame = await client.nextFrame((candidate) => candidate.text.includes('#publish'));
    expect(frame.text).toBe(`{"event":"#publish","data":{"channel":"c","data":${data}}}`);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.for([
    '{"__proto__":{"event":"told","cid":5}}',
    '{"event":"#subscribe","data":{"__proto__":{"channel":"inherited"}},"cid":6}',
    '{"event":"#publish","data":{"__proto__":{"channel":"inherited","data":1}},"cid":6}',
    '{"event":"#handshake","data":{"__proto__":{"authToken":"x"}}}',
  ])('as keys of a packet are not its fields: %s', async (text) => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    const told: unknown[] = [];
    void consume(socket.receiver('told'), (data) => told.push(data));
    client.send(text);
    await client.fence().catch(() => {});
    expect(told).toEqual([]);
    expect(server.brokerEngine.subscriptions()).toEqual([]);
  });

  ours('of subscription options come through as they are', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const subscribed = nextValue(socket.listener('subscribe'));
    client.send('{"event":"#subscribe","data":{"channel":"c","constructor":1,"__proto__":{"x":1}},"cid":5}');
    const { subscriptionOptions } = await subscribed;
    expect(subscriptionOptions).toMatchObject({ constructor: 1 });
    expect((subscriptionOptions as Record<string, unknown>)['x']).toBeUndefined();
  });
});
