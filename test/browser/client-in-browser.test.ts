/** What happens to pages: the network goes and comes, tabs are hidden, shown, reloaded, and several share a login. */
import {
  nextValue,
  onConnection,
  type StartedServer,
  socketOf,
  startServer,
  startTcpRelay,
  type TcpRelay,
  until,
} from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  collected,
  connectPage,
  createPageServer,
  launchChromium,
  openPage,
  openTab,
  seen,
  subscribePage,
} from '../pairings/chromium/client-page.js';

const authKey = 'a secret of at least thirty-two bytes';
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
});

function serve(): Promise<StartedServer> {
  return startServer({ authKey }, { http: createPageServer() });
}

interface RelayedPage {
  readonly started: StartedServer;
  readonly relay: TcpRelay;
  readonly page: Page;
}

/** A page that reaches its server over a relay, subscribed to `room`. */
async function openRelayed(): Promise<RelayedPage> {
  const started = await serve();
  const relay = await startTcpRelay(started.port);
  const page = await openPage(browser, relay);
  await connectPage(page);
  await subscribePage(page, 'room');
  return { started, relay, page };
}

/** Waits until the page has subscribed again, and shows that messages arrive once. */
async function expectRecovered({ started, page }: RelayedPage): Promise<void> {
  await seen(page, 'connect', 2);
  await seen(page, 'subscribe', 2);
  await page.evaluate(() => window.client.invokePublish('room', 'from the page'));
  await started.server.exchange.invokePublish('room', 'from the server');
  expect(await collected(page, 'room', 2)).toEqual(['from the page', 'from the server']);
}

/** Headless Chromium hides no tab, so the page is told what it would see. */
async function setVisibility(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    Object.defineProperty(document, 'hidden', { value: value === 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, state);
}

describe('the network of a page', () => {
  test('when it changed under an open connection, that one is replaced', async () => {
    const relayed = await openRelayed();
    const { relay, page } = relayed;
    relay.silence();
    await page.context().setOffline(true);
    await page.context().setOffline(false);

    await expectRecovered(relayed);
  });

  test('while it is gone the page waits, and connects when it is back', async () => {
    const relayed = await openRelayed();
    const { relay, page } = relayed;
    relay.refuse(true);
    relay.cut();
    await seen(page, 'disconnect');
    await seen(page, 'connectAbort', 2);
    const delivery = await page.evaluate(() =>
      window.client.invoke('nobody').catch((error: { delivery?: string }) => error.delivery),
    );
    expect(delivery).toBe('not-sent');
    relay.refuse(false);

    await expectRecovered(relayed);
  });

  test('a page that hears that it is online while all is well keeps its connection', async () => {
    const { started, relay, page } = await openRelayed();
    const before = relay.connectionCount;
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    const heard = nextValue(started.server.exchange.subscribe('fence'));
    await page.evaluate(() => window.client.invokePublish('fence', 'here'));

    expect(await heard).toBe('here');
    expect(relay.connectionCount).toBe(before);
    expect(await page.evaluate(() => window.seen.filter(({ event }) => event === 'disconnect'))).toEqual([]);
  });
});

describe('a tab that was hidden', () => {
  test('finds out that its connection died meanwhile, and replaces it', async () => {
    const relayed = await openRelayed();
    const { relay, page } = relayed;
    await setVisibility(page, 'hidden');
    relay.silence();
    await setVisibility(page, 'visible');

    await expectRecovered(relayed);
  });

  test('keeps a connection that is alive', async () => {
    const { started, page } = await openRelayed();
    const id = await page.evaluate(() => window.client.id);
    await setVisibility(page, 'hidden');
    await started.server.exchange.invokePublish('room', 'unseen');
    await setVisibility(page, 'visible');
    await started.server.exchange.invokePublish('room', 'seen');

    expect(await collected(page, 'room', 2)).toEqual(['unseen', 'seen']);
    expect(await page.evaluate(() => window.client.id)).toBe(id);
  });
});

describe('tabs of one browser', () => {
  test('share a login, and a logout', async () => {
    const started = await serve();
    const left = await openPage(browser, started);
    await connectPage(left);
    const token = jwt.sign({ user: 'ada' }, authKey);
    await left.evaluate((value) => window.client.authenticate(value), token);
    const right = await openTab(left);

    expect(await connectPage(right)).toMatchObject({ isAuthenticated: true, authToken: token });
    expect(await right.evaluate(() => window.client.authToken)).toMatchObject({ user: 'ada' });
    await right.evaluate(() => window.client.deauthenticate());
    await left.evaluate(() => {
      window.client.reconnect();
    });
    expect(await seen(left, 'connect', 2)).toMatchObject({ isAuthenticated: false });
  });

  test('have sockets of their own: what ends one leaves the other alone', async () => {
    const started = await serve();
    const left = await openPage(browser, started);
    const right = await openTab(left);
    await Promise.all([connectPage(left), connectPage(right)]);
    await Promise.all([subscribePage(left, 'room'), subscribePage(right, 'room')]);
    await left.close();
    await until(() => started.server.clientsCount === 1);
    await started.server.exchange.invokePublish('room', 'still there?');

    expect(await collected(right, 'room', 1)).toEqual(['still there?']);
  });
});

describe('a page that is reloaded', () => {
  test('comes back logged in, under a new id, and leaves no socket behind', async () => {
    const started = await serve();
    const leaving = nextValue(started.server.listener('disconnection'));
    onConnection(started, () => {});
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    const socket = await socketOf(started, { id: id as string });
    await socket.setAuthToken({ user: 'ada' }, { rejectOnFailedDelivery: true });
    await page.reload();
    await page.waitForFunction(() => 'isReady' in window);
    const status = await connectPage(page);

    expect(status).toMatchObject({ isAuthenticated: true });
    expect(status['id']).not.toBe(id);
    expect(await leaving).toMatchObject({ socket });
    await until(() => started.server.clientsCount === 1);
  });

  test('ends quietly while calls are under way: the next page works', async () => {
    const started = await serve();
    const page = await openPage(browser, started);
    const { id } = await connectPage(page);
    const socket = await socketOf(started, { id: id as string });
    const arrived = nextValue(socket.procedure('slow'));
    await page.evaluate(() => {
      void window.outcome(window.client.invoke('slow'));
    });
    await arrived;
    await page.reload();
    await page.waitForFunction(() => 'isReady' in window);
    await connectPage(page);
    await subscribePage(page, 'room');
    await page.evaluate(() => window.client.invokePublish('room', 'fine'));

    expect(await collected(page, 'room', 1)).toEqual(['fine']);
    expect(socket.state).toBe('closed');
  });
});
