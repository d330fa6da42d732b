import { collected, nextValue, startServer, WireClient } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe.for([
  [2, '', ''],
  [1, '#1', '#2'],
] as const)('protocol version %s', ([protocolVersion, ping, pong]) => {
  test(`pings with "${ping}" from the connection on and takes "${pong}" as pong`, async () => {
    const { connect, server } = await startServer({ protocolVersion, pingInterval: 20 });
    const client = await connect();
    await client.handshake();
    const socket = server.clients[client.id];
    if (socket === undefined) throw new Error('no socket');
    expect(socket.protocolVersion).toBe(protocolVersion);
    const raw = collected(socket.listener('raw'));
    await client.pinged(3);
    await client.fence();
    const pings = client.frames.filter((frame) => frame.text === ping);
    expect(pings.length).toBeGreaterThanOrEqual(3);
    expect(pings.every((frame) => !frame.isBinary)).toBe(true);
    expect(raw).toEqual([]);
  });

  test('pings a socket that has not shaken hands', async () => {
    const { connect } = await startServer({ protocolVersion, pingInterval: 20 });
    const client = await connect({ autoPong: false });
    await client.pinged(2);
    expect(client.received).toEqual([]);
  });

  test('closes a socket that stays silent with 4001', async () => {
    const { open, server } = await startServer({ protocolVersion, pingInterval: 20, pingTimeout: 100 });
    const closed = nextValue(server.listener('disconnection'));
    const { client, socket } = await open({ autoPong: false });
    expect(await client.ended()).toEqual({ code: 4001, reason: '' });
    expect(await closed).toEqual({ socket, code: 4001, reason: 'Client pong timed out' });
    expect(client.pings).toBeGreaterThan(0);
  });

  test('keeps a socket that answers pings', async () => {
    const { open } = await startServer({ protocolVersion, pingInterval: 20, pingTimeout: 300 });
    const { client } = await open();
    await client.pinged(30);
    await client.fence();
  });

  test('keeps a socket that answers no ping but sends something', async () => {
    const { open } = await startServer({ protocolVersion, pingInterval: 20, pingTimeout: 300 });
    const { client } = await open({ autoPong: false });
    for (let count = 1; count <= 30; count += 1) {
      await client.pinged(count);
      client.send('still here');
    }
    await client.fence();
  });
});

describe('a pong', () => {
  test('is text: an empty binary frame is raw', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const raw = collected(socket.listener('raw'));
    client.pong();
    client.sendBinary(Buffer.alloc(0));
    await client.fence();
    expect(raw).toEqual([{ message: Buffer.alloc(0) }]);
  });

  test.for([
    [1, ''],
    [1, '#1'],
    [2, '#2'],
    [2, '#1'],
  ] as const)('of version %s is not the text "%s"', async ([protocolVersion, text]) => {
    const { open } = await startServer({ protocolVersion });
    const { client, socket } = await open();
    const raw = nextValue(socket.listener('raw'));
    client.send(text);
    expect(await raw).toEqual({ message: text });
  });
});

describe('pingTimeoutDisabled', () => {
  test('sends no pings and closes nobody', async () => {
    const options = { pingInterval: 10, pingTimeout: 40 };
    const { open } = await startServer({ ...options, pingTimeoutDisabled: true });
    const { client } = await open({ autoPong: false });
    const control = await startServer(options);
    const { client: watched } = await control.open({ autoPong: false });
    expect(await watched.ended()).toMatchObject({ code: 4001 });
    expect(client.pings).toBe(0);
    await client.fence();
  });
});

describe('pingTimeout', () => {
  test('is announced in the handshake reply', async () => {
    const { url } = await startServer({ pingTimeout: 12_345 });
    const client = await WireClient.connect(url);
    expect((await client.handshake()).data).toMatchObject({ pingTimeout: 12_345 });
  });

  test('applies before the handshake too', async () => {
    const { connect } = await startServer({ pingInterval: 20, pingTimeout: 80 });
    const client = await connect({ autoPong: false });
    expect(await client.ended()).toEqual({ code: 4001, reason: '' });
  });
});
