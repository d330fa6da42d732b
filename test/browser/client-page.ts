import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterTest } from '@socketcluster-ts/testkit';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { AGClientSocket, ClientOptions } from 'socketcluster-client';
import { expect } from 'vitest';

/** One event as the page recorded it; errors are plain objects with their name, message and fields. */
export interface SeenEvent {
  readonly event: string;
  readonly details: Record<string, unknown>;
}

declare global {
  interface Window {
    /** The client that {@link Window.connectClient} made last. */
    client: AGClientSocket;
    /** What that client has told so far. */
    seen: SeenEvent[];
    /** Makes a client; the address of the page is the address of the server. */
    connectClient(options?: ClientOptions): void;
    /** Collects what a stream of the client gives, under a name. */
    collected: Record<string, unknown[]>;
    collect(name: string, stream: AsyncIterable<unknown>): void;
    /** Resolves with `{result}` or `{error}` of a promise; the error as a plain object. */
    outcome(promise: Promise<unknown>): Promise<{ result?: unknown; error?: Record<string, unknown> }>;
  }
}

const bundle = readFileSync(
  join(createRequire(import.meta.url).resolve('socketcluster-client'), '../socketcluster-client.min.js'),
);

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The published client</title>
<link rel="icon" href="data:,">
<script type="module">
import * as socketClusterClient from '/socketcluster-client.js';

const EVENTS = [
  'connect', 'connectAbort', 'disconnect', 'error', 'subscribe', 'subscribeFail', 'unsubscribe', 'kickOut',
  'authenticate', 'deauthenticate', 'removeAuthToken', 'raw', 'message',
];

function plain(value) {
  if (value instanceof Error) return { ...value, name: value.name, message: value.message };
  if (value instanceof ArrayBuffer) return { bytes: [...new Uint8Array(value)] };
  if (typeof value === 'function') return '[function]';
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

window.seen = [];
window.collected = {};
window.collect = async (name, stream) => {
  const values = (window.collected[name] ??= []);
  for await (const value of stream) values.push(value);
};
window.outcome = (promise) => promise.then((result) => ({ result }), (error) => ({ error: plain(error) }));
window.connectClient = (options = {}) => {
  window.client = socketClusterClient.create({
    autoReconnectOptions: { initialDelay: 20, randomness: 10, multiplier: 1, maxDelay: 50 },
    ...options,
  });
  for (const event of EVENTS) {
    void (async () => {
      for await (const details of window.client.listener(event)) window.seen.push({ event, details: plain(details) });
    })();
  }
};
window.isReady = true;
</script>
</html>
`;

/** Starts the browser of this machine, or the one that the environment variable CHROMIUM names. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Gives an HTTP server, not listening yet, that serves the page and the published browser bundle. */
export function createPageServer(): HttpServer {
  return createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
    } else if (request.url === '/socketcluster-client.js') {
      response.setHeader('content-type', 'text/javascript; charset=utf-8').end(bundle);
    } else {
      response.writeHead(404).end();
    }
  });
}

/** Opens the page of the server on `port` in a profile of its own; fails the test if the page throws an error. */
export async function openPage(browser: Browser, { port }: { readonly port: number }): Promise<Page> {
  const context = await browser.newContext();
  const errors: Error[] = [];
  afterTest(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction(() => 'isReady' in window);
  return page;
}

/** Makes the page's client and resolves with what its 'connect' event told. */
export async function connectPage(page: Page, options: ClientOptions = {}): Promise<Record<string, unknown>> {
  await page.evaluate((given) => {
    window.connectClient(given);
  }, options);
  return seen(page, 'connect');
}

/** Resolves with the details of the `nth` event of that name that the page's client told, waiting for it if need be. */
export async function seen(page: Page, event: string, nth: number = 1): Promise<Record<string, unknown>> {
  const found = await page.waitForFunction(
    ([name, count]) => window.seen.filter((entry) => entry.event === name)[count - 1]?.details,
    [event, nth] as const,
    { timeout: 10_000 },
  );
  return (await found.jsonValue()) ?? {};
}

/** Resolves with the first `count` values that the page collected under `name`. */
export async function collected(page: Page, name: string, count: number): Promise<unknown[]> {
  await page.waitForFunction(
    ([key, wanted]) => (window.collected[key] ?? []).length >= wanted,
    [name, count] as const,
    { timeout: 10_000 },
  );
  return page.evaluate((key) => window.collected[key] ?? [], name);
}

/** Subscribes the page's client, collects the messages under the channel's name, and resolves once it is subscribed. */
export async function subscribePage(page: Page, channel: string): Promise<void> {
  await page.evaluate(async (name) => {
    const subscription = window.client.subscribe(name);
    window.collect(name, subscription);
    await subscription.listener('subscribe').once();
  }, channel);
}
