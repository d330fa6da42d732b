import {
  answer,
  onConnection,
  type StartedServer,
  startAgain,
  startServer,
  stop,
  until,
} from '@socketcluster-ts/testkit';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../pairings/chromium/client-page.js';
import { createReactPageServer, ReactPage } from './react-page.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
});

/** What happens to the subscriptions that are asked for. */
type Gate = (channel: string) => Promise<Error | undefined> | Error | undefined;

interface Watched {
  /** The channels that were asked for, and those that were left, in order: `+room`, `-room`. */
  readonly subscriptions: string[];
  /** How many sockets have connected. */
  connections: number;
}

function watch(server: StartedServer['server'], gate: Gate = () => undefined): Watched {
  const watched: Watched = { subscriptions: [], connections: 0 };
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      if (action.type !== action.SUBSCRIBE) {
        action.allow();
        continue;
      }
      watched.subscriptions.push(`+${action.channel}`);
      const refusal = await gate(action.channel);
      if (refusal === undefined) action.allow();
      else action.block(refusal);
    }
  });
  onConnection({ server }, (socket) => {
    watched.connections++;
    void socket.listener('unsubscribe').each(({ channel }) => watched.subscriptions.push(`-${channel}`));
    answer(socket, 'double', (data) => Number(data) * 2);
    answer(socket, 'fail', () => {
      throw new RangeError('Too much');
    });
  });
  return watched;
}

async function open(gate?: Gate): Promise<{ started: StartedServer; watched: Watched; page: ReactPage }> {
  const started = await startServer({}, { http: createReactPageServer() });
  const watched = watch(started.server, gate);
  return { started, watched, page: await ReactPage.open(browser, started) };
}

describe('useSocket() under StrictMode', () => {
  test('mounted twice it connects once, and is closed when its owner is unmounted', async () => {
    const { started, watched, page } = await open();
    const opened: string[] = [];
    page.page.on('websocket', (webSocket) => opened.push(webSocket.url()));
    await page.show();
    await page.shows('socket', 'open');
    expect(opened).toHaveLength(1);
    expect(await page.page.evaluate(() => window.mounts)).toBe(2);
    expect(watched.connections).toBe(1);

    await page.clear();
    await until(() => started.server.clientsCount === 0);
    expect(await page.page.evaluate(() => window.socket.state)).toBe('closed');
    expect(started.server.pendingClientsCount).toBe(0);
  });

  test('what a server rendered comes to life, without a complaint of React', async () => {
    const { watched, page } = await open();
    const text = await page.page.evaluate(() =>
      window.hydrate([{ id: 'a', kind: 'latest', channel: 'tea' }]).replaceAll(/\s+/g, ' '),
    );
    expect(text.trim()).toBe('closed pending - -');
    await page.shows('socket', 'open');
    await page.shows('a', 'subscribed - -');
    expect(watched).toEqual({ subscriptions: ['+tea'], connections: 1 });
  });

  test('mounted anew it is another client', async () => {
    const { started, watched, page } = await open();
    await page.show();
    await page.shows('socket', 'open');
    await page.clear();
    await page.show();
    await page.shows('socket', 'open');
    await until(() => started.server.clientsCount === 1);
    expect(watched.connections).toBe(2);
  });
});

describe('useChannel() under StrictMode', () => {
  test('mounted twice it subscribes once, shows each latest message, and unsubscribes when it is unmounted', async () => {
    const { started, watched, page } = await open();
    await page.show();
    await page.shows('socket', 'open');
    await page.show({ id: 'a', kind: 'latest', channel: 'tea' });
    await page.shows('a', 'subscribed - -');
    await started.server.exchange.invokePublish('tea', 'milk?');
    await page.shows('a', 'subscribed "milk?" -');
    await started.server.exchange.invokePublish('tea', { sugar: 2 });
    await page.shows('a', 'subscribed {"sugar":2} -');
    await page.show();
    await until(() => watched.subscriptions.length === 2);
    expect(watched.subscriptions).toEqual(['+tea', '-tea']);
  });

  test('two components share one subscription until the last has gone', async () => {
    const { started, watched, page } = await open();
    const a = { id: 'a', kind: 'latest', channel: 'tea' } as const;
    const b = { ...a, id: 'b' };
    await page.show(a, b);
    await page.shows('a', 'subscribed - -');
    await started.server.exchange.invokePublish('tea', 1);
    await page.shows('a', 'subscribed 1 -');
    await page.shows('b', 'subscribed 1 -');
    await page.show(b);
    await started.server.exchange.invokePublish('tea', 2);
    await page.shows('b', 'subscribed 2 -');
    expect(watched.subscriptions).toEqual(['+tea']);
    await page.show();
    await until(() => watched.subscriptions.length === 2);
    expect(watched.subscriptions).toEqual(['+tea', '-tea']);
  });

  test('a component that takes over the channel of another one keeps the subscription', async () => {
    const { started, watched, page } = await open();
    await page.show({ id: 'a', kind: 'latest', channel: 'tea' });
    await page.shows('a', 'subscribed - -');
    await page.show({ id: 'b', kind: 'every', channel: 'tea' });
    await started.server.exchange.invokePublish('tea', 'still here');
    expect(await page.told('b', 1)).toEqual(['still here']);
    await page.show();
    await until(() => watched.subscriptions.length === 2);
    expect(watched.subscriptions).toEqual(['+tea', '-tea']);
  });

  test('unmounted while the server still thinks about the subscription, it is not subscribed', async () => {
    let decide = (): void => {};
    const decided = new Promise<undefined>((resolve) => (decide = () => resolve(undefined)));
    const { started, watched, page } = await open((channel) => (channel === 'slow' ? decided : undefined));
    await page.show({ id: 'a', kind: 'latest', channel: 'slow' });
    await until(() => watched.subscriptions.length === 1);
    await page.shows('a', 'pending - -');
    await page.show({ id: 'b', kind: 'latest', channel: 'other' });
    decide();
    await page.shows('b', 'subscribed - -');
    await until(() => watched.subscriptions.length === 3);
    expect(watched.subscriptions.toSorted()).toEqual(['+other', '+slow', '-slow']);
    expect(Object.values(started.server.clients).map((socket) => socket.subscriptions())).toEqual([
      ['other'],
    ]);
    expect(await page.page.evaluate(() => window.socket.subscriptions(true))).toEqual(['other']);
  });

  test('a refused subscription says why, and can be tried again', async () => {
    let isAllowed = false;
    const { page } = await open(() =>
      isAllowed ? undefined : Object.assign(new Error('Members only'), { name: 'DoorError' }),
    );
    await page.show({ id: 'a', kind: 'latest', channel: 'club' });
    await page.shows('a', 'unsubscribed - DoorError: Members only');
    isAllowed = true;
    await page.page.evaluate(() => void window.socket.subscribe('club'));
    await page.shows('a', 'subscribed - -');
  });

  test('a channel that the contract does not have is a failure that says so, and the others go on', async () => {
    const { watched, page } = await open();
    await page.page.evaluate(() => {
      window.hasContract = true;
    });
    await page.show(
      { id: 'a', kind: 'latest', channel: 'coffee' },
      { id: 'b', kind: 'latest', channel: 'tea' },
    );
    await page.shows('b', 'subscribed - -');
    await page.shows('a', 'unsubscribed - UnknownNameError: The contract has no channel "coffee"');
    expect(watched.subscriptions).toEqual(['+tea']);
  });

  test('a kick out is the end of the subscription, with its reason', async () => {
    const { started, page } = await open();
    await page.show({ id: 'a', kind: 'latest', channel: 'club' });
    await page.shows('a', 'subscribed - -');
    const [socket] = Object.values(started.server.clients);
    await socket?.kickOut('club', 'Closing time');
    await page.shows('a', 'unsubscribed - Error: Closing time');
  });

  test('goes on after the server was restarted', async () => {
    const { started, page } = await open();
    await page.show({ id: 'a', kind: 'latest', channel: 'tea' }, { id: 'b', kind: 'every', channel: 'tea' });
    await page.shows('a', 'subscribed - -');
    await stop(started);
    await page.shows('a', 'pending - -');
    const again = await startAgain(started, {}, ({ server }) => watch(server), createReactPageServer());
    await page.shows('a', 'subscribed - -');
    await page.shows('socket', 'open');
    await again.server.exchange.invokePublish('tea', 'back');
    await page.shows('a', 'subscribed "back" -');
    expect(await page.told('b', 1)).toEqual(['back']);
  });

  test('follows its name, and shows nothing of the channel before', async () => {
    const { started, watched, page } = await open();
    await page.show({ id: 'a', kind: 'latest', channel: 'tea' });
    await page.shows('a', 'subscribed - -');
    await started.server.exchange.invokePublish('tea', 'of tea');
    await page.shows('a', 'subscribed "of tea" -');
    await page.show({ id: 'a', kind: 'latest', channel: 'coffee' });
    await page.shows('a', 'subscribed - -');
    await started.server.exchange.invokePublish('tea', 'lost');
    await started.server.exchange.invokePublish('coffee', 'of coffee');
    await page.shows('a', 'subscribed "of coffee" -');
    await page.show({ id: 'a', kind: 'latest', channel: null });
    await page.shows('a', 'unsubscribed - -');
    await until(() => watched.subscriptions.length === 4);
    expect(watched.subscriptions.toSorted()).toEqual(['+coffee', '+tea', '-coffee', '-tea']);
  });

  test('onMessage has each message of a burst once and in order, and an error in it ends nothing', async () => {
    const { started, page } = await open();
    await page.show(
      { id: 'a', kind: 'every', channel: 'tea' },
      { id: 'sum', kind: 'reducer', channel: 'tea' },
    );
    await page.shows('a', 'subscribed -');
    await page.page.evaluate(() => {
      window.told['errors'] = [];
      void window.socket.listener('error').each(({ error }) => window.told['errors']?.push(String(error)));
    });
    const numbers = Array.from({ length: 500 }, (_, index) => index);
    for (const number of numbers) void started.server.exchange.transmitPublish('tea', number);
    expect(await page.told('a', 500)).toEqual(numbers);
    await page.shows('sum', `subscribed ${(499 * 500) / 2}`);
    await page.shows('a', 'subscribed -');

    await started.server.exchange.invokePublish('tea', 'throw');
    await started.server.exchange.invokePublish('tea', 'after');
    expect((await page.told('a', 502)).slice(500)).toEqual(['throw', 'after']);
    expect(await page.told('errors', 1)).toEqual(['Error: The component is not amused']);
  });

  test('a channel that the application has subscribed by itself stays subscribed', async () => {
    const { watched, page } = await open();
    await page.show();
    await page.shows('socket', 'open');
    await page.page.evaluate(() => window.socket.subscribe('tea').listener('subscribe').once(5000));
    await page.show({ id: 'a', kind: 'latest', channel: 'tea' });
    await page.shows('a', 'subscribed - -');
    await page.show({ id: 'b', kind: 'latest', channel: 'coffee' });
    await page.shows('b', 'subscribed - -');
    expect(await page.page.evaluate(() => window.socket.subscriptions())).toEqual(['tea', 'coffee']);
    expect(watched.subscriptions).toEqual(['+tea', '+coffee']);
  });
});

describe('useProcedure() under StrictMode', () => {
  test('shows that it waits, the result, and the error of the next call', async () => {
    const { page } = await open();
    await page.show({ id: 'a', kind: 'procedure', procedure: 'double' });
    await page.shows('a', 'idle - -');
    expect(await page.page.evaluate(() => window.calls['a']?.call(21))).toBe(42);
    await page.shows('a', 'idle 42 -');
    await page.show({ id: 'a', kind: 'procedure', procedure: 'fail' });
    await page.shows('a', 'idle - -');
    // Nobody takes the promise: the page must not report it as unhandled.
    await page.page.evaluate(() => void window.calls['a']?.call());
    await page.shows('a', 'idle - RangeError: Too much');
  });

  test('a call is given up by the next one, by abort(), and when the component is unmounted', async () => {
    const { started, page } = await open();
    const given: string[] = [];
    onConnection(started, (socket) => {
      void socket.procedure<string>('wait').each(
        ({ data, signal }) => {
          if (data === 'now') return 'at once';
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              given.push(data);
              reject(signal.reason as Error);
            });
          });
        },
        { concurrency: 8 },
      );
    });
    await page.show({ id: 'a', kind: 'procedure', procedure: 'wait' });
    await page.shows('socket', 'open');
    const outcome = page.page.evaluate(() =>
      window.calls['a']?.call('first').catch((error: unknown) => (error as Error).name),
    );
    await page.shows('a', 'pending - -');
    await page.page.evaluate(() => void window.calls['a']?.call('now'));
    await page.shows('a', 'idle "at once" -');
    expect(await outcome).toBe('AbortError');
    await until(() => given.length === 1);

    await page.page.evaluate(() => void window.calls['a']?.call('second'));
    await page.shows('a', 'pending "at once" -');
    await page.page.evaluate(() => window.calls['a']?.abort());
    await page.shows('a', 'idle "at once" -');
    await until(() => given.length === 2);

    await page.page.evaluate(() => void window.calls['a']?.call('third'));
    await page.shows('a', 'pending "at once" -');
    await page.show();
    await until(() => given.length === 3);
    expect(given).toEqual(['first', 'second', 'third']);
  });
});
