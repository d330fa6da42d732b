import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AGClientSocket, ClientOptions } from '@socketcluster-ts/client';
import { afterTest } from '@socketcluster-ts/testkit';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { bundlePage } from './bundle-page.js';

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
    /** Set once the page can be used. */
    isReady: true;
  }
}

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page with a client</title>
<link rel="icon" href="data:,">
<script type="module" src="/main.js"></script>
</html>
`;

let bundled: Promise<string> | undefined;

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

/** Gives an HTTP server, not listening yet, that serves the page. */
export function createPageServer(): HttpServer {
  return createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
    } else if (request.url === '/main.js') {
      void sendBundle(response);
    } else {
      response.writeHead(404).end();
    }
  });
}

async function sendBundle(response: ServerResponse): Promise<void> {
  const code = await (bundled ??= bundlePage());
  response.setHeader('content-type', 'text/javascript; charset=utf-8').end(code);
}

/** Opens the page of the server on `port` in a profile of its own; fails the test if the page throws an error. */
export async function openPage(browser: Browser, { port }: { readonly port: number }): Promise<Page> {
  const context = await browser.newContext();
  const errors: Error[] = [];
  afterTest(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });
  context.on('weberror', (webError) => errors.push(webError.error()));
  return load(await context.newPage(), `http://127.0.0.1:${port}/`);
}

/** Opens the page that another tab shows once more, in the same profile. */
export async function openTab(other: Page): Promise<Page> {
  return load(await other.context().newPage(), other.url());
}

async function load(page: Page, url: string): Promise<Page> {
  await page.goto(url);
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
