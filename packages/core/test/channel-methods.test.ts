import { beforeEach, describe, expect, test } from 'vitest';
import { addChannelMethods, type ChannelMethods, ChannelStreams } from '../src/index.js';
import { TestClient } from './channel-client.js';

let client: TestClient;

beforeEach(() => {
  client = new TestClient();
});

/** What each query answers about consumers that are made below; typed so that no name can be left out. */
type Query = {
  [Name in keyof ChannelMethods as ReturnType<ChannelMethods[Name]> extends void ? never : Name]: [
    args: Parameters<ChannelMethods[Name]>,
    known: ReturnType<ChannelMethods[Name]>,
    unknownArgs: Parameters<ChannelMethods[Name]>,
    unknown: ReturnType<ChannelMethods[Name]>,
  ];
};

const outputStats = { id: 1, backpressure: 3, stream: 'a' };
const listenerStats = { id: 1, backpressure: 2, stream: 'a/subscribe' };

const queries: Query = {
  getChannelBackpressure: [['a'], 3, ['x'], 0],
  getAllChannelsBackpressure: [[], 3, [], 3],
  getAllChannelOutputsBackpressure: [[], 3, [], 3],
  getAllChannelListenersBackpressure: [[], 2, [], 2],
  channelGetOutputConsumerStatsList: [['a'], [outputStats], ['x'], []],
  channelGetOutputBackpressure: [['a'], 3, ['x'], 0],
  channelHasOutputConsumer: [['a', 1], true, ['x', 1], false],
  channelGetListenerConsumerStatsList: [['a', 'subscribe'], [listenerStats], ['a', 'x'], []],
  channelGetAllListenersConsumerStatsList: [['a'], [listenerStats], ['x'], []],
  channelGetListenerBackpressure: [['a', 'subscribe'], 2, ['a', 'x'], 0],
  channelGetAllListenersBackpressure: [['a'], 2, ['x'], 0],
  channelHasListenerConsumer: [['a', 'subscribe', 1], true, ['a', 'x', 1], false],
  channelHasAnyListenerConsumer: [['a', 1], true, ['x', 1], false],
  getChannelOutputConsumerStats: [[1], outputStats, [9], undefined],
  getChannelListenerConsumerStats: [[1], listenerStats, [9], undefined],
  getAllChannelOutputsConsumerStatsList: [[], [outputStats], [], [outputStats]],
  getAllChannelListenersConsumerStatsList: [[], [listenerStats], [], [listenerStats]],
  getChannelOutputConsumerBackpressure: [[1], 3, [9], 0],
  getChannelListenerConsumerBackpressure: [[1], 2, [9], 0],
  hasAnyChannelOutputConsumer: [[1], true, [9], false],
  hasAnyChannelListenerConsumer: [[1], true, [9], false],
};

/** Which of the consumers below each command ends: at once if it kills, after their backlog if it closes. */
type Command = {
  [Name in keyof ChannelMethods as ReturnType<ChannelMethods[Name]> extends void ? Name : never]: [
    args: Parameters<ChannelMethods[Name]>,
    ends: string[],
  ];
};

const commands: Command = {
  closeChannel: [['a'], ['a', 'a/subscribe', 'a/kickOut']],
  killChannel: [['a'], ['a', 'a/subscribe', 'a/kickOut']],
  closeAllChannels: [[], ['a', 'b', 'a/subscribe', 'a/kickOut', 'b/subscribe']],
  killAllChannels: [[], ['a', 'b', 'a/subscribe', 'a/kickOut', 'b/subscribe']],
  closeAllChannelOutputs: [[], ['a', 'b']],
  killAllChannelOutputs: [[], ['a', 'b']],
  closeAllChannelListeners: [[], ['a/subscribe', 'a/kickOut', 'b/subscribe']],
  killAllChannelListeners: [[], ['a/subscribe', 'a/kickOut', 'b/subscribe']],
  channelCloseOutput: [['a'], ['a']],
  channelKillOutput: [['a'], ['a']],
  channelCloseListener: [['a', 'subscribe'], ['a/subscribe']],
  channelKillListener: [['a', 'subscribe'], ['a/subscribe']],
  channelCloseAllListeners: [['a'], ['a/subscribe', 'a/kickOut']],
  channelKillAllListeners: [['a'], ['a/subscribe', 'a/kickOut']],
  killChannelOutputConsumer: [[2], ['b']],
  killChannelListenerConsumer: [[2], ['a/kickOut']],
};

function call(name: string, args: unknown[]): unknown {
  return (client as unknown as Record<string, (...given: unknown[]) => unknown>)[name]?.(...args);
}

describe.each(Object.entries<[unknown[], unknown, unknown[], unknown]>(queries))(
  '`%s()`',
  (name, [args, known, unknownArgs, unknown]) => {
    test('answers for what it knows and for what it does not', () => {
      const consumers = [
        client.channelStreams.outputs.createConsumer('a'),
        client.channelStreams.listeners.scope('a').stream('subscribe').createConsumer(),
      ];
      for (let count = 0; count < 3; count++) client.channelStreams.write('a', count);
      for (let count = 0; count < 2; count++) client.channelStreams.writeEvent('a', 'subscribe', count);
      expect(call(name, args)).toEqual(known);
      expect(call(name, unknownArgs)).toEqual(unknown);
      expect(consumers).toHaveLength(2);
    });
  },
);

describe.each(Object.entries<[unknown[], string[]]>(commands))('`%s()`', (name, [args, ends]) => {
  test('ends the consumers that it names and no others', async () => {
    const { outputs, listeners } = client.channelStreams;
    const consumers = {
      a: outputs.createConsumer('a'),
      b: outputs.createConsumer('b'),
      'a/subscribe': listeners.scope('a').stream('subscribe').createConsumer(),
      'a/kickOut': listeners.scope('a').stream('kickOut').createConsumer(),
      'b/subscribe': listeners.scope('b').stream('subscribe').createConsumer(),
    };
    for (const channel of ['a', 'b']) client.channelStreams.write(channel, 'waiting');
    for (const [channel, event] of [
      ['a', 'subscribe'],
      ['a', 'kickOut'],
      ['b', 'subscribe'],
    ] as const) {
      client.channelStreams.writeEvent(channel, event, 'waiting');
    }
    call(name, args);
    const isClose = /close/i.test(name);
    for (const [key, consumer] of Object.entries(consumers)) {
      const isEnded = ends.includes(key);
      expect(consumer.getBackpressure()).toBe(isEnded ? (isClose ? 2 : 0) : 1);
      if (isClose || !isEnded) expect(await consumer.next()).toEqual({ value: 'waiting', done: false });
      if (isEnded) expect(await consumer.next()).toEqual({ value: undefined, done: true });
    }
  });
});

describe('`addChannelMethods()`', () => {
  test('puts every name of ChannelMethods on the prototype, and lists none of them', () => {
    const names = [...Object.keys(queries), ...Object.keys(commands)];
    expect(names).toHaveLength(37);
    for (const name of names) {
      const property = Object.getOwnPropertyDescriptor(TestClient.prototype, name);
      expect(property).toMatchObject({ writable: true, configurable: true, enumerable: false });
    }
    expect(Object.keys(client)).not.toContain('closeChannel');
  });

  test('keeps a method that the class has itself', () => {
    class Own {
      readonly channelStreams = new ChannelStreams();
      closeChannel(): string {
        return 'own';
      }
    }
    addChannelMethods(Own);
    expect(new Own().closeChannel()).toBe('own');
    expect(new Own()).toHaveProperty('killChannel');
  });
});
