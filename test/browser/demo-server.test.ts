import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { runDemo, startDemo } from './demo-process.js';

describe('the files of the demo', () => {
  test('the page and everything it loads comes from the demo itself, with a policy that allows nothing else', async () => {
    const { url } = await startDemo();
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const paths = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path ?? '');
    for (const suffix of ['.css', '.js', '.svg'])
      expect(paths).toContainEqual(expect.stringMatching(new RegExp(`\\${suffix}$`)));
    for (const path of paths) {
      const response = await fetch(new URL(path, `${url}/`));
      expect([path, response.status], path).toEqual([path, 200]);
      expect(new URL(response.url).origin).toBe(url);
    }
    const script = await fetch(new URL(paths.find((path) => path.endsWith('.js')) ?? '', `${url}/`));
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  test('a current copy is answered with 304, HEAD without a body', async () => {
    const { url } = await startDemo();
    const style = await fetch(`${url}/favicon.svg`);
    const etag = style.headers.get('etag') ?? '';
    expect(style.headers.get('cache-control')).toBe('no-cache');
    expect((await fetch(`${url}/favicon.svg`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const head = await fetch(`${url}/favicon.svg`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String((await style.arrayBuffer()).byteLength));
    expect(await head.text()).toBe('');
  });

  test.each([
    '/nothing.js',
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '//etc/passwd',
    '/.demo-auth-key',
    '/%',
    '/\0',
  ])('%j is not found', async (path) => {
    const { url } = await startDemo();
    expect(await statusOf(url, path)).toBe(404);
  });

  test('other methods than GET and HEAD are refused', async () => {
    const { url } = await startDemo();
    const response = await fetch(url, { method: 'POST', body: 'x' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('the process of the demo', () => {
  test('/health tells that it runs and how many are connected', async () => {
    const { url } = await startDemo();
    const response = await fetch(`${url}/health`);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ status: 'ok', clients: 0 });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends it cleanly, after one line of output',
    async (signal) => {
      const server = await startDemo();
      expect(await server.stop(signal)).toEqual({
        code: 0,
        output: `SocketCluster demo: ${server.url}\n`,
        errors: '',
      });
    },
  );

  test('a port that is taken is named, with the way out', async () => {
    const { port } = await startDemo();
    const { code, output, errors } = await runDemo(String(port));
    expect([code, output]).toEqual([1, '']);
    expect(errors).toBe(
      `Port ${port} is already in use. Stop the other program, or choose another port: PORT=${port + 1} npm start\n`,
    );
  });

  test('a port that is none is refused', async () => {
    expect(await runDemo('eighty')).toMatchObject({ code: 1, errors: expect.stringContaining('"eighty"') });
  });
});

/** Sends the path as it is; `fetch` would tidy it up first. */
async function statusOf(url: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, path: encodeURI(path).replaceAll('%25', '%') }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
