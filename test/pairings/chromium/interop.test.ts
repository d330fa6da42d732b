import {
  answer,
  nextValue,
  onConnection,
  type ServerOptions,
  type StartedServer,
  socketOf,
  startAgain,
  startServer,
  stop,
  take,
  until,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  collected,
  connectPage,
  createPageServer,
  launchChromium,
  openPage,
  seen,
  subscribePage,
} from './client-page.js';

const authKey = 'a secret of at least thirty-two bytes';
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser?.close();
});

/** What these tests read of any action. */
interface AnyAction {
  readonly type: string;
  readonly data?: unknown;
  readonly channel?: string;
  readonly procedure?: string;
  readonly request?: { readonly url?: string | undefined };
  allow(packet?: { data: unknown }): void;
  block(error: Error): void;
}

type Line = 'handshake' | 'inbound' | 'outbound';

function use(started: StartedServer, line: Line, decide: (action: AnyAction) => void): void {
  started.server.setMiddleware(line, async (stream: AsyncIterable<unknown>) => {
    for await (const action of stream) decide(action as AnyAction);
  });
}

function failure(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

function serve(options: ServerOptions = {}): Promise<StartedServer> {
  return startServer({ authKey, ...options }, { http: createPageServer() });
}

describe('a client in Chromium', { timeout: 60_000 }, () => {
  test('connects to the address of its page, and both sides know the same id', async () => {
    const started = await serve({ pingInterval: 50, pingTimeout: 1000 });
    const page = await openPage(browser, started);
    const status = await connectPage(page);
    const socket = await socketOf(started, { id: status['id'] as string });

    expect(status).toMatchObject({ isAuthenticated: false, pingTimeout: 1000 });
    expect(socket.request.headers.origin).toBe(`http://127.0.0.1:${started.port}`);
    await seen(page, 'message', 25);
    expect(await page.evaluate(() => window.client.state)).toBe('open');
    expect(started.warnings).toEqual([]);
  });

  test('subscribes, publishes and receives between two tabs and the server', async () => {
    const started = await serve();
    const [left, right] = await Promise.all([openPage(browser, started), openPage(browser, started)]);
    await Promise.all([connectPage(left), connectPage(right)]);
    await Promise.all([subscribePage(left, 'room'), subscribePage(right, 'room')]);
    const atServer = take(started.server.exchange.subscribe('room'), 2);
    await left.evaluate(() => window.client.invokePublish('room', { from: 'left', text: 'grüße 🙂' }));
    await right.evaluate(() => window.client.invokePublish('room', { from: 'right' }));
    await started.server.exchange.invokePublish('room', { from: 'server' });
    const expected = [{ from: 'left', text: 'grüße 🙂' }, { from: 'right' }, { from: 'server' }];

    expect(await collected(left, 'room', 3)).toEqual(expected);
    expect(await collected(right, 'room', 3)).toEqual(expected);
    expect(await atServer).toEqual(expected.slice(0, 2));
    const gone = nextValue(started.server.listener('unsubscription'));
    await left.evaluate(() => {
      window.client.unsubscribe('room');
    });
    expect(await gone).toMatchObject({ channel: 'room' });
  });

  test('calls the server and is called by it, with results and errors', async () => {
    const started = await serve();
    onConnection(started, (socket) => {
      answer(socket, 'double', (data) => Number(data) * 2);
      answer(socket, 'fail', () => {
        throw Object.assign(new Error('Nothing left'), { name: 'QuotaError', limit: 10 });
      });
    });
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    const socket = await socketOf(started, { id: id as string });
    await page.evaluate(() => {
      void (async () => {
        for await (const request of window.client.procedure('title')) request.end(document.title);
      })();
      void (async () => {
        for await (const request of window.client.procedure('fail')) request.error(new RangeError('No idea'));
      })();
    });

    expect(await page.evaluate(() => window.client.invoke('double', 21))).toBe(42);
    expect(await page.evaluate(() => window.outcome(window.client.invoke('fail')))).toEqual({
      error: { name: 'QuotaError', message: 'Nothing left', limit: 10 },
    });
    expect(
      await page.evaluate(() => window.outcome(window.client.invoke('nobody', 1, { ackTimeout: 50 }))),
    ).toMatchObject({
      error: { name: 'TimeoutError' },
    });
    expect(await socket.invoke('title')).toBe('A page with a client');
    await expect(socket.invoke('fail')).rejects.toMatchObject({ message: 'No idea' });
  });

  test('keeps a token over a reload, and forgets one that was removed', async () => {
    const started = await serve();
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    await (await socketOf(started, { id: id as string })).setAuthToken(
      { user: 'ada' },
      { rejectOnFailedDelivery: true },
    );
    const name = `socketcluster.authToken.127.0.0.1:${started.port}`;
    const stored = await page.evaluate((key) => localStorage.getItem(key), name);
    expect(jwt.verify(stored ?? '', authKey)).toMatchObject({ user: 'ada' });

    await page.reload();
    await page.waitForFunction(() => 'isReady' in window);
    const status = await connectPage(page);
    const socket = await socketOf(started, { id: status['id'] as string });
    expect(status).toMatchObject({ isAuthenticated: true, authToken: stored });
    expect(socket.authToken).toMatchObject({ user: 'ada' });
    expect(await page.evaluate(() => window.client.authToken)).toMatchObject({ user: 'ada' });

    await socket.deauthenticate({ rejectOnFailedDelivery: true });
    expect(await seen(page, 'removeAuthToken')).toEqual({ oldAuthToken: stored });
    expect(await page.evaluate((key) => localStorage.getItem(key), name)).toBeNull();
    await page.reload();
    await page.waitForFunction(() => 'isReady' in window);
    expect(await connectPage(page)).toMatchObject({ isAuthenticated: false });
  });

  test('loses a token that expires, and one that was no good from the start', async () => {
    const started = await serve({ pingInterval: 100 });
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    await (await socketOf(started, { id: id as string })).setAuthToken({ user: 'ada' }, { expiresIn: 1 });
    expect(await seen(page, 'deauthenticate')).toMatchObject({ oldAuthToken: { user: 'ada' } });
    const name = `socketcluster.authToken.127.0.0.1:${started.port}`;
    expect(await page.evaluate((key) => localStorage.getItem(key), name)).toBeNull();

    const foreign = jwt.sign({ user: 'eve' }, 'somebody else');
    await page.evaluate(([key, token]) => localStorage.setItem(key, token), [name, foreign] as const);
    await page.reload();
    await page.waitForFunction(() => 'isReady' in window);
    expect(await connectPage(page)).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'AuthTokenInvalidError', message: 'invalid signature' },
    });
    await seen(page, 'removeAuthToken');
    expect(await page.evaluate((key) => localStorage.getItem(key), name)).toBeNull();
  });

  test('authenticates itself with a token it got elsewhere', async () => {
    const started = await serve();
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    const token = jwt.sign({ user: 'ada' }, authKey);

    expect(await page.evaluate((value) => window.client.authenticate(value), token)).toEqual({
      isAuthenticated: true,
      authError: null,
    });
    expect((await socketOf(started, { id: id as string })).authToken).toMatchObject({ user: 'ada' });
    expect(await page.evaluate(() => window.outcome(window.client.authenticate('a.b.c')))).toMatchObject({
      error: { name: 'AuthTokenInvalidError', isBadToken: true },
    });
  });

  test('is stopped by middleware on the way in, and sees what middleware made of a message', async () => {
    const started = await serve();
    use(started, 'inbound', (action) => {
      if (action.channel === 'closed' || action.procedure === 'closed')
        action.block(failure('ClosedError', 'Keep out'));
      else action.allow();
    });
    use(started, 'outbound', (action) => {
      action.allow({ data: `${String(action.data)}!` });
    });
    const page = await openPage(browser, started);
    await connectPage(page);
    await page.evaluate(() => {
      window.client.subscribe('closed');
    });

    expect(await seen(page, 'subscribeFail')).toMatchObject({
      channel: 'closed',
      error: { name: 'ClosedError', message: 'Keep out' },
    });
    expect(await page.evaluate(() => window.outcome(window.client.invoke('closed')))).toEqual({
      error: { name: 'ClosedError', message: 'Keep out' },
    });
    await subscribePage(page, 'room');
    await page.evaluate(() => window.client.invokePublish('room', 'hello'));
    expect(await collected(page, 'room', 1)).toEqual(['hello!']);
  });

  test('is refused by the handshake middleware: the upgrade with 1006, the handshake with its code', async () => {
    const started = await serve();
    use(started, 'handshake', (action) => {
      const url = String(action.request?.url);
      if (action.type === 'handshakeWS' && url.includes('first')) action.block(new Error('not you'));
      else if (action.type === 'handshakeSC' && url.includes('second')) {
        action.block(failure('VersionError', 'Too old', { statusCode: 4501 }));
      } else action.allow();
    });
    const page = await openPage(browser, started);
    for (const attempt of ['first', 'second']) {
      await page.evaluate((query) => {
        window.connectClient({ query, autoReconnect: false });
      }, attempt);
      await seen(page, 'connectAbort', attempt === 'first' ? 1 : 2);
    }

    expect(await seen(page, 'connectAbort', 1)).toMatchObject({ code: 1006 });
    expect(await seen(page, 'connectAbort', 2)).toEqual({ code: 4501, reason: 'VersionError: Too old' });
    expect(await connectPage(page)).toMatchObject({ isAuthenticated: false });
  });

  test('is refused when the origin of its page is not listed', async () => {
    const started = await serve({ origins: 'somewhere.example:*' });
    const page = await openPage(browser, started);
    await page.evaluate(() => {
      window.connectClient({ autoReconnect: false });
    });

    expect(await seen(page, 'connectAbort')).toMatchObject({ code: 1006 });
    const welcoming = await serve({ origins: '127.0.0.1:*' });
    expect(await connectPage(await openPage(browser, welcoming))).toMatchObject({ isAuthenticated: false });
  });

  test('is kicked out of a channel, and disconnected with code and reason', async () => {
    const started = await serve();
    const page = await openPage(browser, started);
    const { id } = await connectPage(page, { autoReconnect: false });
    await subscribePage(page, 'room');
    const socket = await socketOf(started, { id: id as string });
    await socket.kickOut('room', 'too loud');
    expect(await seen(page, 'kickOut')).toEqual({ channel: 'room', message: 'too loud' });
    expect(await page.evaluate(() => window.client.subscriptions(true))).toEqual([]);

    await socket.disconnect(4100, 'enough');
    expect(await seen(page, 'disconnect')).toEqual({ code: 4100, reason: 'enough' });
  });

  test('batches 20 subscriptions into one array and gets one array back', async () => {
    const started = await serve({ batchOnHandshake: true });
    const frames: string[] = [];
    void (async () => {
      for await (const { socket } of started.server.listener('handshake')) {
        void (async () => {
          for await (const { message } of socket.listener('message')) frames.push(String(message));
        })();
      }
    })();
    const page = await openPage(browser, started);
    await page.evaluate(() => {
      window.connectClient({ batchOnHandshake: true });
      for (let index = 0; index < 20; index += 1) window.client.subscribe(`channel ${index}`);
    });
    await seen(page, 'subscribe', 20);

    const calls = JSON.parse(frames[1] ?? '') as { event: string; cid: number }[];
    expect(calls.map(({ event }) => event)).toEqual(Array.from({ length: 20 }, () => '#subscribe'));
    const { message } = await seen(page, 'message', 2);
    expect(JSON.parse(String(message))).toEqual(calls.map(({ cid }) => ({ rid: cid })));
  });

  test('comes back after a restart of the server, with its subscriptions and its token', async () => {
    const started = await serve();
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    await (await socketOf(started, { id: id as string })).setAuthToken(
      { user: 'ada' },
      { rejectOnFailedDelivery: true },
    );
    await subscribePage(page, 'room');
    await stop(started);
    expect(await seen(page, 'disconnect')).toMatchObject({ code: 1006 });
    const restarted = await startAgain(started, { authKey }, undefined, createPageServer());
    expect(await seen(page, 'connect', 2)).toMatchObject({ isAuthenticated: true });
    await seen(page, 'subscribe', 2);
    await restarted.server.exchange.invokePublish('room', 'welcome back');

    expect(await collected(page, 'room', 1)).toEqual(['welcome back']);
    expect(restarted.server.clientsCount).toBe(1);
  });

  test('sends and receives binary data', async () => {
    const started = await serve();
    onConnection(started, (socket) => {
      answer(socket, 'echo', (data) => data);
      answer(socket, 'fetch', () => Buffer.from([0, 1, 255]));
    });
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    const socket = await socketOf(started, { id: id as string });
    const encoded = { base64: true, data: 'AAH/' };
    const raw = nextValue(socket.listener('raw'));
    await subscribePage(page, 'files');

    expect(
      await page.evaluate(() => window.client.invoke('echo', new Uint8Array([0, 1, 255]).buffer)),
    ).toEqual(encoded);
    expect(await page.evaluate(() => window.client.invoke('fetch'))).toEqual(encoded);
    await page.evaluate(() =>
      window.client.invokePublish('files', { file: new Uint8Array([0, 1, 255]).buffer }),
    );
    expect(await collected(page, 'files', 1)).toEqual([{ file: encoded }]);
    await page.evaluate(() => {
      window.client.send(new Uint8Array([9, 8, 7]).buffer);
    });
    expect((await raw).message).toEqual(Buffer.from([9, 8, 7]));
    socket.send(Buffer.from([5, 6]));
    expect(await seen(page, 'raw')).toEqual({ message: { bytes: [5, 6] } });
  });

  test('uses unusual names for channels, events and procedures', async () => {
    const names = ['', '💬👩‍👩‍👧', 'n'.repeat(255), 'a/b', '"quoted"\n', '42', '#custom', 'length'];
    const started = await serve();
    onConnection(started, (socket) => {
      for (const name of names) answer(socket, name, (data) => [data]);
    });
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    const socket = await socketOf(started, { id: id as string });
    for (const name of names) {
      const told = nextValue(socket.receiver(name));
      await subscribePage(page, name);
      await page.evaluate(async (used) => {
        await window.client.transmit(used, 1);
        await window.client.invokePublish(used, 2);
      }, name);

      expect(await told).toBe(1);
      expect(await collected(page, name, 1)).toEqual([2]);
      expect(await page.evaluate((used) => window.client.invoke(used, 3), name)).toEqual([3]);
    }
    expect(socket.subscriptions().toSorted()).toEqual(names.toSorted());
  });

  test('leaves the server when its tab is closed', async () => {
    const started = await serve();
    const page = await openPage(browser, started);
    await connectPage(page);
    await until(() => started.server.clientsCount === 1);
    const gone = nextValue(started.server.listener('disconnection'));
    await page.close();

    expect(await gone).toMatchObject({ code: 1001 });
    await until(() => started.server.clientsCount === 0);
  });
});
