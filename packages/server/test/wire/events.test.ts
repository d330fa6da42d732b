import { collected, consume, EventLog, nextValue, ours, startServer, take } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe('a transmit from the client', () => {
  test.for([
    ['a string', 'x'],
    ['an empty string', ''],
    ['zero', 0],
    ['false', false],
    ['null', null],
    ['an object', { a: [1, { b: null }] }],
    ['an array', [1, 'two', [3]]],
  ] as const)('hands %s to the receiver', async ([, data]) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('custom'));
    client.send({ event: 'custom', data });
    expect(await received).toEqual(data);
  });

  test('without data hands undefined to the receiver', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = take(socket.receiver('custom'), 1);
    client.send({ event: 'custom' });
    expect(await received).toEqual([undefined]);
  });

  test('reaches every consumer of its receiver, in order, and no other receiver or procedure', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const one = collected(socket.receiver('custom'));
    const two = take(socket.receiver('custom'), 3);
    const other = collected(socket.receiver('other'));
    const procedure = collected(socket.procedure('custom'));
    for (const data of [1, 2, 3]) client.send({ event: 'custom', data });
    expect(await two).toEqual([1, 2, 3]);
    await client.fence();
    expect(one).toEqual([1, 2, 3]);
    expect([...other, ...procedure]).toEqual([]);
  });

  test('is never answered, whether anybody receives it or not', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('known'));
    client.send({ event: 'known', data: 1 });
    client.send({ event: 'unknown', data: 1 });
    await received;
    await client.fence();
    expect(client.received.map((packet) => packet.rid)).toEqual([1, 2, 3]);
  });

  test('is an event even when it carries a rid, and whatever the order of its keys', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = take(socket.receiver('custom'), 2);
    client.send('{"rid":1,"event":"custom","data":"a"}');
    client.send('{"data":"b","event":"custom"}');
    expect(await received).toEqual(['a', 'b']);
  });

  test('with an unknown #name is an ordinary event', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('#custom'));
    client.send({ event: '#custom', data: 1 });
    expect(await received).toBe(1);
  });
});

describe('a call from the client', () => {
  test.for([
    ['end(data)', { v: 1 }, '{"rid":2,"data":{"v":1}}'],
    ['end(null)', null, '{"rid":2,"data":null}'],
    ['end()', undefined, '{"rid":2}'],
  ] as const)('is answered by %s', async ([, data, answer]) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('custom'), (request) => {
      request.end(data);
    });
    client.send({ event: 'custom', data: 'question', cid: 2 });
    expect((await client.nextFrame((frame) => /"rid":2/.test(frame.text))).text).toBe(answer);
  });

  test('gives the procedure its data, its id and the socket', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('custom'));
    client.send({ event: 'custom', data: { q: 1 }, cid: 9 });
    const request = await called;
    expect(request).toMatchObject({ id: 9, procedure: 'custom', data: { q: 1 }, sent: false });
    expect(request.socket).toBe(socket);
    request.end();
    expect(request.sent).toBe(true);
  });

  test('is answered once: a second answer throws', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('custom'));
    client.send({ event: 'custom', cid: 9 });
    const { end, error } = await called;
    end('first');
    const refused = expect.objectContaining({
      name: 'InvalidActionError',
      message: 'Response to request 9 has already been sent',
    });
    expect(() => end('second')).toThrow(refused);
    expect(() => error(new Error('third'))).toThrow(refused);
    await client.fence();
    expect(client.received.filter((packet) => packet.rid === 9)).toEqual([{ rid: 9, data: 'first' }]);
  });

  test('that nobody handles is never answered', async () => {
    const { open } = await startServer();
    const { client } = await open();
    client.send({ event: 'unknown', cid: 99 });
    await client.fence();
    expect(client.received.filter((packet) => packet.rid === 99)).toEqual([]);
  });

  test.for([0, -1, 0.5, 1e21, 4_294_967_296])('may have the cid %s', async (cid) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('custom'), (request) => {
      request.end('answer');
    });
    client.send({ event: 'custom', cid });
    expect(await client.next((packet) => packet.rid === cid)).toEqual({ rid: cid, data: 'answer' });
  });

  test.for(['"5"', 'null', 'true', '{}', '[1]', '""'])('with the cid %s is a transmit', async (cid) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('custom'));
    const called = collected(socket.procedure('custom'));
    client.send(`{"event":"custom","data":"x","cid":${cid}}`);
    expect(await received).toBe('x');
    await client.fence();
    expect(called).toEqual([]);
  });

  ours('with a cid that is not finite is a transmit', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('custom'));
    const called = collected(socket.procedure('custom'));
    client.send('{"event":"custom","data":"x","cid":1e999}');
    expect(await received).toBe('x');
    await client.fence();
    expect(called).toEqual([]);
  });

  test('is answered in the order of the answers, not of the questions', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const called = take(socket.procedure('custom'), 3);
    for (const cid of [11, 12, 13]) client.send({ event: 'custom', cid });
    for (const request of (await called).toReversed()) request.end(request.id);
    await client.next((packet) => packet.rid === 11);
    expect(client.received.slice(1).map((packet) => packet.rid)).toEqual([13, 12, 11]);
  });

  test('that is answered after the socket closed warns that the WebSocket is not open', async () => {
    const { open, warning } = await startServer();
    const { client, socket } = await open();
    const called = nextValue(socket.procedure('custom'));
    client.send({ event: 'custom', cid: 2 });
    const request = await called;
    const closed = nextValue(socket.listener('close'));
    client.close(1000);
    await closed;
    expect(() => {
      request.end('late');
    }).not.toThrow();
    expect(await warning((error) => /WebSocket is not open/.test(error.message))).toBeInstanceOf(Error);
  });
});

describe('a frame that is no packet', () => {
  test.for([
    ['text', 'hello', 1],
    ['a number', '5', 1],
    ['null', 'null', 1],
    ['a JSON string', '"x"', 1],
    ['an empty object', '{}', 1],
    ['an object without known keys', '{"data":1,"cid":1}', 1],
    ['a number as event', '{"event":5}', 1],
    ['null as event', '{"event":null,"cid":1}', 1],
    ['a string rid', '{"rid":"1","data":1}', 1],
    ['broken JSON', '{"event":"x"', 1],
    ['an array of scalars', '[1,"two",null]', 3],
    ['nested arrays', '[[{"event":"custom"}]]', 1],
  ] as const)('%s raises `raw` with the whole frame', async ([, text, times]) => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const raw = collected(socket.listener('raw'));
    const received = collected(socket.receiver('custom'));
    client.send(text);
    await client.fence();
    expect(raw).toEqual(Array.from({ length: times }, () => ({ message: text })));
    expect(received).toEqual([]);
  });

  test('an empty array raises nothing', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const raw = collected(socket.listener('raw'));
    client.send('[]');
    await client.fence();
    expect(raw).toEqual([]);
  });

  test('in an array does not keep its neighbours from their receivers', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const received = take(socket.receiver('custom'), 2);
    client.send('[{"event":"custom","data":1},7,{"event":"custom","data":2}]');
    expect(await received).toEqual([1, 2]);
  });
});

describe('the `message` event', () => {
  test('shows every frame, pongs included, text as string and binary as Buffer', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['message']);
    client.send('hello');
    client.pong();
    client.sendBinary(Buffer.from([1, 2]));
    client.send('{"event":"x"}');
    await log.times('message', 4);
    expect(log.of('message')).toEqual([
      { message: 'hello' },
      { message: '' },
      { message: Buffer.from([1, 2]) },
      { message: '{"event":"x"}' },
    ]);
  });

  test('comes once for an array, and the counters count frames', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    const before = socket.inboundReceivedMessageCount;
    const messages = collected(socket.listener('message'));
    client.send('[{"event":"a"},{"event":"b"}]');
    client.send('{"event":"c"}');
    await client.fence();
    expect(messages).toHaveLength(4);
    expect(socket.inboundReceivedMessageCount - before).toBe(4);
    expect(socket.inboundProcessedMessageCount).toBe(socket.inboundReceivedMessageCount);
    expect(socket.getInboundBackpressure()).toBe(0);
  });
});
