import { createServer } from 'node:https';
import {
  answer,
  nextValue,
  onConnection,
  socketOf,
  startServer,
  take,
  until,
} from '@socketcluster-ts/testkit';
import { generate } from 'selfsigned';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectClient } from './client.js';

let certificate: { readonly key: string; readonly cert: string };

beforeAll(async () => {
  const pair = await generate([{ name: 'commonName', value: '127.0.0.1' }]);
  certificate = { key: pair.private, cert: pair.cert };
});

const CLIENT = { secure: true, wsOptions: { rejectUnauthorized: false } };

describe('over TLS', () => {
  test('clients connect, call and are called', async () => {
    const started = await startServer({}, { http: createServer(certificate) });
    onConnection(started, (socket) => answer(socket, 'double', (data) => (data as number) * 2));
    const client = await connectClient(started, CLIENT);
    answer(client, 'triple', (data) => (data as number) * 3);
    const socket = await socketOf(started, client);

    expect(await client.invoke('double', 21)).toBe(42);
    expect(await socket.invoke('triple', 14)).toBe(42);
    expect(socket.remoteAddress).toBe('127.0.0.1');
  });

  test('small and large messages of one turn arrive complete and in order, and nothing is left waiting', async () => {
    const started = await startServer({}, { http: createServer(certificate) });
    const client = await connectClient(started, CLIENT);
    const socket = await socketOf(started, client);
    const channel = client.subscribe('mixed');
    await nextValue(channel.listener('subscribe'));
    const sent = Array.from({ length: 60 }, (_, n) => `${n}:${'é'.repeat(n % 3 === 0 ? 50_000 : n)}`);
    const received = take(channel, sent.length);
    for (const message of sent) void started.server.exchange.transmitPublish('mixed', message);

    expect(await received).toEqual(sent);
    await until(() => socket.getOutboundBackpressure() === 0);
    expect(socket.outboundSentMessageCount).toBe(socket.outboundPreparedMessageCount);
  });
});
