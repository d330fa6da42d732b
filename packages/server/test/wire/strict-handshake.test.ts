import {
  EventLog,
  encodeFrame,
  nextValue,
  ours,
  RawConnection,
  startServer,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

const LIFE_EVENTS = ['handshake', 'connection', 'connectionAbort', 'disconnection', 'closure'];

describe('with strictHandshake a socket that has not shaken hands is closed with 4009 by', () => {
  test.for([
    ['a pong', ''],
    ['text', 'hello'],
    ['a scalar', '5'],
    ['a string', '"x"'],
    ['an empty object', '{}'],
    ['broken JSON', '{"event":'],
    ['a custom transmit', '{"event":"custom","data":1}'],
    ['a custom call', '{"event":"custom","data":1,"cid":1}'],
    ['#authenticate', '{"event":"#authenticate","data":"x","cid":1}'],
    ['#authenticate without cid', '{"event":"#authenticate","data":"x"}'],
    ['#removeAuthToken', '{"event":"#removeAuthToken"}'],
    ['#subscribe', '{"event":"#subscribe","data":{"channel":"c"},"cid":1}'],
    ['#unsubscribe', '{"event":"#unsubscribe","data":"c","cid":1}'],
    ['#publish', '{"event":"#publish","data":{"channel":"c","data":1},"cid":1}'],
    ['a response', '{"rid":1,"data":1}'],
    ['an error response', '{"rid":1,"error":{"message":"x"}}'],
    ['a nested array', '[[]]'],
    ['an array of scalars', '[1]'],
  ] as const)('%s', async ([, text]) => {
    const { connect, server } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const client = await connect({ autoPong: false });
    client.send(text);
    expect(await client.ended()).toEqual({ code: 4009, reason: '' });
    await log.first('closure');
    expect(log.names).toEqual(['handshake', 'connectionAbort', 'closure']);
    expect(log.of('closure')).toMatchObject([
      { code: 4009, reason: 'Server received a message before the client handshake' },
    ]);
    expect(client.received).toEqual([]);
  });

  test('binary garbage', async () => {
    const { connect } = await startServer();
    const client = await connect();
    client.sendBinary(Buffer.from([0xff, 0x00, 0x7b]));
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  ours('a custom event before the handshake in one array, whose rest is dropped', async () => {
    const { connect, server } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const client = await connect();
    client.send([{ event: 'custom' }, { event: '#handshake', cid: 1 }]);
    expect(await client.ended()).toEqual({ code: 4009, reason: '' });
    await log.first('closure');
    expect(log.names).toEqual(['handshake', 'connectionAbort', 'closure']);
    expect(client.received).toEqual([]);
  });

  ours('the frames that follow it in the same segment change nothing any more', async () => {
    const { port, server } = await startServer();
    const log = new EventLog().record(server, LIFE_EVENTS);
    const raw = await RawConnection.upgrade(port);
    raw.write(Buffer.concat([encodeFrame('hello'), encodeFrame('{"event":"#handshake","cid":1}')]));
    expect(await raw.closeCode()).toBe(4009);
    await log.first('closure');
    expect(log.names).toEqual(['handshake', 'connectionAbort', 'closure']);
    expect(raw.frames).toHaveLength(1);
    expect(server.clientsCount).toBe(0);
  });
});

describe('without strictHandshake a socket that has not shaken hands', () => {
  test('has its transmits and calls delivered, and its raw frames', async () => {
    const { connect, server } = await startServer({ strictHandshake: false });
    const shaking = nextValue(server.listener('handshake'));
    const client = await connect();
    const { socket } = await shaking;
    const transmitted = nextValue(socket.receiver('custom'));
    const called = nextValue(socket.procedure('custom'));
    const raw = nextValue(socket.listener('raw'));
    client.send({ event: 'custom', data: 1 });
    client.send({ event: 'custom', data: 2, cid: 5 });
    client.send('hello');
    expect(await transmitted).toBe(1);
    (await called).end('early');
    expect(await client.next()).toEqual({ rid: 5, data: 'early' });
    expect(await raw).toEqual({ message: 'hello' });
    expect(socket.state).toBe('connecting');
  });

  test('may publish, but not subscribe', async () => {
    const { connect, server, open } = await startServer({ strictHandshake: false });
    const { client: subscriber } = await open();
    await subscriber.call('#subscribe', { channel: 'c' });
    const client = await connect();
    client.send({ event: '#publish', data: { channel: 'c', data: 'early' }, cid: 1 });
    expect(await client.next()).toEqual({ rid: 1 });
    expect(await subscriber.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'early' } });
    client.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    expect(await client.next()).toEqual({
      rid: 2,
      error: {
        name: 'InvalidActionError',
        message: 'Cannot subscribe socket to a channel before it has completed the handshake',
      },
    });
    expect(server.clientsCount).toBe(1);
  });

  test('may authenticate itself', async () => {
    const { connect, sign } = await startServer({ strictHandshake: false });
    const client = await connect();
    client.send({ event: '#authenticate', data: await sign({ user: 'ann' }), cid: 1 });
    expect(await client.next()).toEqual({ rid: 1, data: { isAuthenticated: true, authError: null } });
  });
});
