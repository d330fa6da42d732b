import { nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { startClockedServer } from './clocked-server.js';

/** Late by at most this many milliseconds: all deadlines of a server share one timer. */
const SLACK_MS = 25;

describe('deadlines', () => {
  test('option `handshakeTimeout`: a connection without handshake is closed after it, 10 s by default', async () => {
    const { server, connect, advance } = startClockedServer();
    const { peer } = await connect({ handshake: false });
    await advance(9900);
    expect(peer.closeInfo).toBeUndefined();
    expect(server.pendingClientsCount).toBe(1);
    await advance(100 + SLACK_MS);
    expect(peer.closeInfo?.code).toBe(4005);
    expect(server.pendingClientsCount).toBe(0);
  });

  test('option `handshakeTimeout`: another value replaces the default', async () => {
    const { connect, advance } = startClockedServer({ handshakeTimeout: 500 });
    const { peer } = await connect({ handshake: false });
    await advance(400);
    expect(peer.closeInfo).toBeUndefined();
    await advance(100 + SLACK_MS);
    expect(peer.closeInfo?.code).toBe(4005);
  });

  test('option `handshakeTimeout`: does not touch a connection whose handshake is complete', async () => {
    const { connect, advance } = startClockedServer({ handshakeTimeout: 500, pingTimeoutDisabled: true });
    const { peer, socket } = await connect();
    await advance(5000);
    expect(peer.closeInfo).toBeUndefined();
    expect(socket.state).toBe('open');
  });

  test('option `ackTimeout`: an invoke that nobody answers rejects after it, 10 s by default', async () => {
    const { connect, advance } = startClockedServer({ pingTimeoutDisabled: true });
    const { socket } = await connect();
    let outcome: unknown = 'pending';
    socket.invoke('question').catch((error: unknown) => {
      outcome = error;
    });
    await advance(9900);
    expect(outcome).toBe('pending');
    await advance(100 + SLACK_MS);
    expect(outcome).toMatchObject({
      name: 'TimeoutError',
      message: 'Event response for question event timed out',
    });
  });

  test('option `ackTimeout`: a call may bring its own', async () => {
    const { connect, advance } = startClockedServer({ ackTimeout: 60_000, pingTimeoutDisabled: true });
    const { socket } = await connect();
    let outcome: unknown = 'pending';
    socket.invoke('question', undefined, { ackTimeout: 300 }).catch((error: unknown) => {
      outcome = error;
    });
    await advance(300 + SLACK_MS);
    expect(outcome).toMatchObject({ name: 'TimeoutError' });
  });
});

describe('liveness', () => {
  test('option `pingInterval`: pings every socket on it, every 8 s by default', async () => {
    const { connect, advance } = startClockedServer();
    const { peer } = await connect();
    const pings = (): number => peer.sent.filter((data) => data.toString() === '').length;
    await advance(7900);
    expect(pings()).toBe(0);
    await advance(100 + SLACK_MS);
    expect(pings()).toBe(1);
    peer.receive('');
    await advance(8000);
    expect(pings()).toBe(2);
  });

  test('option `pingInterval`: another value replaces the default, before the handshake too', async () => {
    const { connect, advance } = startClockedServer({ pingInterval: 1000 });
    const { peer } = await connect({ handshake: false });
    await advance(3000 + SLACK_MS);
    expect(peer.sent.map(String)).toEqual(['', '', '']);
  });

  ours('option `pingTimeout`: 20 s of silence close a connection by default', async () => {
    const { connect, advance } = startClockedServer();
    const { peer } = await connect();
    await advance(19_900);
    expect(peer.closeInfo).toBeUndefined();
    await advance(100 + SLACK_MS);
    expect(peer.closeInfo?.code).toBe(4001);
  });

  ours('option `pingTimeout`: the default of 20000 is announced in the handshake reply', async () => {
    const { connect } = await startServer();
    const reply = await (await connect()).handshake();
    expect(reply.data).toMatchObject({ pingTimeout: 20_000 });
  });

  test('option `pingTimeout`: another value is announced, and enforced', async () => {
    const { connect, advance } = startClockedServer({ pingTimeout: 3000 });
    const { peer } = await connect();
    expect(peer.packets[0]).toMatchObject({ data: { pingTimeout: 3000 } });
    await advance(2900);
    expect(peer.closeInfo).toBeUndefined();
    await advance(100 + SLACK_MS);
    expect(peer.closeInfo?.code).toBe(4001);
  });

  test('option `pingTimeout`: pongs keep a connection alive', async () => {
    const { connect, advance } = startClockedServer({ pingTimeout: 3000, pingInterval: 1000 });
    const { peer } = await connect();
    for (let second = 0; second < 10; second += 1) {
      await advance(1000);
      peer.receive('');
    }
    await advance(0);
    expect(peer.closeInfo).toBeUndefined();
  });
});

describe('batching', () => {
  test('option `batchOnHandshake`: is off by default, answers go out one by one', async () => {
    const { open } = await startServer();
    const { client } = await open();
    client.send([
      { event: '#subscribe', data: { channel: 'a' }, cid: 2 },
      { event: '#subscribe', data: { channel: 'b' }, cid: 3 },
    ]);
    expect((await client.nextFrame(({ text }) => text.includes('"rid":2'))).value).toEqual({ rid: 2 });
    expect((await client.nextFrame(({ text }) => text.includes('"rid":3'))).value).toEqual({ rid: 3 });
  });

  test('option `batchOnHandshake`: what follows the handshake reply leaves in one array', async () => {
    const { connect } = await startServer({ batchOnHandshake: true });
    const client = await connect();
    const reply = client.nextFrame();
    client.send({ event: '#handshake', cid: 1 });
    expect((await reply).value).toMatchObject({ rid: 1 });
    client.send({ event: '#subscribe', data: { channel: 'a' }, cid: 2 });
    client.send({ event: '#subscribe', data: { channel: 'b' }, cid: 3 });
    expect((await client.nextFrame()).value).toEqual([{ rid: 2 }, { rid: 3 }]);
  });

  test('option `batchOnHandshakeDuration`: batching ends after it, 400 ms by default', async () => {
    const { connect, advance } = startClockedServer({ batchOnHandshake: true, batchInterval: 10_000 });
    const { peer, socket } = await connect();
    const before = peer.sent.length;
    void socket.transmit('early');
    await advance(390);
    expect(peer.sent.length).toBe(before);
    await advance(10 + SLACK_MS);
    expect(peer.packets.at(-1)).toEqual([{ event: 'early' }]);

    void socket.transmit('late');
    await advance(0);
    expect(peer.packets.at(-1)).toEqual({ event: 'late' });
  });

  test('option `batchOnHandshakeDuration`: another value replaces the default', async () => {
    const { connect, advance } = startClockedServer({
      batchOnHandshake: true,
      batchInterval: 10_000,
      batchOnHandshakeDuration: 2000,
    });
    const { peer, socket } = await connect();
    const before = peer.sent.length;
    void socket.transmit('early');
    await advance(1900);
    expect(peer.sent.length).toBe(before);
    await advance(100 + SLACK_MS);
    expect(peer.packets.at(-1)).toEqual([{ event: 'early' }]);
  });

  test('option `batchInterval`: what was buffered leaves after it, every 50 ms by default', async () => {
    const { connect, advance } = startClockedServer({ batchOnHandshake: true });
    const { peer, socket } = await connect();
    const before = peer.sent.length;
    void socket.transmit('one');
    void socket.transmit('two');
    await advance(40);
    expect(peer.sent.length).toBe(before);
    await advance(10 + SLACK_MS);
    expect(peer.packets.at(-1)).toEqual([{ event: 'one' }, { event: 'two' }]);
    void socket.transmit('three');
    await advance(50 + SLACK_MS);
    expect(peer.packets.at(-1)).toEqual([{ event: 'three' }]);
  });

  test('option `batchInterval`: holds for `startBatching()`, too', async () => {
    const { connect, advance } = startClockedServer({ batchInterval: 700 });
    const { peer, socket } = await connect();
    const before = peer.sent.length;
    socket.startBatching();
    void socket.transmit('one');
    await advance(650);
    expect(peer.sent.length).toBe(before);
    await advance(50 + SLACK_MS);
    expect(peer.packets.at(-1)).toEqual([{ event: 'one' }]);
  });
});

describe('cleanup', () => {
  const backlog = [1, 2, 3, 4, 5];

  /** Reads a receiver whose socket closes while the first of five transmits is being handled. */
  async function handledOf(options: object): Promise<{ handled: unknown[]; ended: boolean }> {
    const { open } = await startServer(options);
    const { client, socket } = await open();
    const handled: unknown[] = [];
    const end = nextValue(socket.listener('end'));
    let ended = false;
    const loop = (async () => {
      for await (const data of socket.receiver('work')) {
        handled.push(data);
        if (handled.length === 1) await end;
      }
      ended = true;
    })();
    for (const data of backlog) client.transmit('work', data);
    await client.fence();
    client.close();
    await end;
    await Promise.race([loop, new Promise((resolve) => setImmediate(() => setImmediate(resolve)))]);
    return { handled, ended };
  }

  test("option `socketStreamCleanupMode`: 'kill', the default, ends loops at once", async () => {
    expect(await handledOf({})).toEqual({ handled: [1], ended: true });
  });

  test("option `socketStreamCleanupMode`: 'close' lets loops finish their backlog", async () => {
    expect(await handledOf({ socketStreamCleanupMode: 'close' })).toEqual({ handled: backlog, ended: true });
  });

  test("option `socketStreamCleanupMode`: 'none' leaves the streams open", async () => {
    expect(await handledOf({ socketStreamCleanupMode: 'none' })).toEqual({ handled: backlog, ended: false });
  });
});
