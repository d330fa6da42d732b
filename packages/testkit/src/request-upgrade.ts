import { type IncomingMessage, request } from 'node:http';
import { withDeadline } from './deadline.js';

/** What a server answered to an upgrade request. */
export interface UpgradeAnswer {
  /** 101 when the upgrade went through. */
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What to ask for. */
export interface UpgradeRequestOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Asks for a WebSocket upgrade and resolves with the answer, accepted (the connection is dropped) or refused. */
export async function requestUpgrade(
  port: number,
  options: UpgradeRequestOptions = {},
): Promise<UpgradeAnswer> {
  const { path = '/socketcluster/', method = 'GET', headers = {} } = options;
  return withDeadline(
    new Promise<UpgradeAnswer>((resolve, reject) => {
      const asking = request({
        port,
        host: '127.0.0.1',
        path,
        method,
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          ...headers,
        },
      });
      asking.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve({ status: 101, headers: response.headers, body: '' });
      });
      asking.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
        response.on('error', reject);
      });
      asking.on('error', reject);
      asking.end();
    }),
    'the answer to an upgrade request',
  );
}
