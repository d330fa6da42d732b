import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterTest } from '@socketcluster-ts/testkit';
import type { Browser, Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { expect } from 'vitest';
import { openPage } from '../../pairings/chromium/client-page.js';
import type { Widget } from './page/main.js';

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Components that use the hooks</title>
<link rel="icon" href="data:,">
<body><script type="module" src="/main.js"></script></body>
</html>
`;

let bundled: Promise<string> | undefined;

/** As an application would, with React for development: only there StrictMode mounts twice. */
async function bundle(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"development"' },
    resolve: { conditions: ['@socketcluster-ts/source', 'module', 'browser', 'development|production'] },
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      rolldownOptions: { input: fileURLToPath(new URL('page/main.tsx', import.meta.url)) },
    },
  });
  const [{ output: files }] = [output].flat() as [Rolldown.RolldownOutput];
  return files[0].code;
}

/** Gives an HTTP server, not listening yet, that serves the page. */
export function createReactPageServer(): HttpServer {
  return createServer((request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
    else if (request.url === '/main.js') void sendBundle(response);
    else response.writeHead(404).end();
  });
}

async function sendBundle(response: ServerResponse): Promise<void> {
  const code = await (bundled ??= bundle());
  response.setHeader('content-type', 'text/javascript; charset=utf-8').end(code);
}

/** Owns one page of components; every wait has a deadline. */
export class ReactPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page; the test fails if anything throws in it, or if React complains. */
  static async open(browser: Browser, server: { readonly port: number }): Promise<ReactPage> {
    const page = await openPage(browser, server);
    const complaints: string[] = [];
    page.on('console', (message) => {
      const isNetwork = message.text().includes('net::ERR_') || message.text().includes('WebSocket');
      if (['error', 'warning'].includes(message.type()) && !isNetwork) complaints.push(message.text());
    });
    afterTest(() => expect(complaints).toEqual([]));
    return new ReactPage(page);
  }

  /** Shows these components, and no others. */
  async show(...widgets: readonly Widget[]): Promise<void> {
    await this.page.evaluate((shown) => window.show(shown), widgets);
  }

  /** Unmounts everything, the owner of the socket included. */
  async clear(): Promise<void> {
    await this.page.evaluate(() => window.show(null));
  }

  /** Resolves when a component shows exactly this. */
  async shows(id: string, text: string): Promise<void> {
    try {
      await this.page.waitForFunction(
        ([element, wanted]) => document.getElementById(element)?.textContent === wanted,
        [id, text] as const,
        { timeout: 10_000 },
      );
    } catch {
      expect(await this.page.locator(`#${id}`).textContent({ timeout: 1 }), `what ${id} shows`).toBe(text);
    }
  }

  /** Resolves with what an `every` component was told, once it is `count` messages. */
  async told(id: string, count: number): Promise<unknown[]> {
    await this.page.waitForFunction(
      ([name, wanted]) => (window.told[name] ?? []).length >= wanted,
      [id, count] as const,
      { timeout: 10_000 },
    );
    return this.page.evaluate((name) => window.told[name] ?? [], id);
  }
}
