import { encodeFrame, nextValue, OPCODES, RawConnection, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** The frames of all packets, to be written in one piece: the server gets them with one read. */
function together(...packets: object[]): Buffer {
  return Buffer.concat(packets.map((packet) => encodeFrame(JSON.stringify(packet))));
}

/** The same packets, as they reach the server. */
const WAYS: [way: string, bytes: (packets: object[]) => Buffer][] = [
  ['of one read', (packets) => together(...packets)],
  ['of one batch', (packets) => encodeFrame(JSON.stringify(packets))],
];

async function openRaw() {
  const started = await startServer();
  const connected = nextValue(started.server.listener('connection'));
  const raw = await RawConnection.upgrade(started.port);
  raw.send({ event: '#handshake', data: { authToken: null }, cid: 1 });
  const { socket } = await connected;
  return { raw, socket };
}

describe.each(WAYS)('several messages %s', (_, bytes) => {
  const numbers = Array.from({ length: 20 }, (__, n) => n);

  test('reach a loop in order, all of them', async () => {
    const { raw, socket } = await openRaw();
    const heard: unknown[] = [];
    raw.write(bytes([...numbers.map((data) => ({ event: 'n', data })), { event: 'n', data: 'last' }]));
    for await (const data of socket.receiver('n')) {
      if (data === 'last') break;
      heard.push(data);
    }
    expect(heard).toEqual(numbers);
  });

  test('reach who asks for each of them anew', async () => {
    const { raw, socket } = await openRaw();
    const heard: unknown[] = [];
    const first = socket.receiver('n').once();
    raw.write(bytes(numbers.map((data) => ({ event: 'n', data }))));
    heard.push(await first);
    while (heard.length < numbers.length) heard.push(await socket.receiver('n').once(4000));
    expect(heard).toEqual(numbers);
  });

  test('reach a loop and who asks for each of them anew, of the same stream', async () => {
    const { raw, socket } = await openRaw();
    const looped: unknown[] = [];
    const asked: unknown[] = [];
    const loop = (async () => {
      for await (const data of socket.receiver('n')) if (looped.push(data) === numbers.length) break;
    })();
    const first = socket.receiver('n').once();
    raw.write(bytes(numbers.map((data) => ({ event: 'n', data }))));
    asked.push(await first);
    while (asked.length < numbers.length) asked.push(await socket.receiver('n').once(4000));
    await loop;
    expect(asked).toEqual(numbers);
    expect(looped).toEqual(numbers);
  });

  test('find what the loop of the message before has begun, also behind a run', async () => {
    const { raw, socket } = await openRaw();
    const heard: unknown[] = [];
    const done = (async () => {
      for await (const data of socket.receiver<number>('n')) {
        if (data < 3) continue;
        heard.push(await socket.receiver('then').once(4000));
        return;
      }
    })();
    raw.write(
      bytes(
        [0, 1, 2, 3].map((data): object => ({ event: 'n', data })).concat({ event: 'then', data: 'heard' }),
      ),
    );
    await done;
    expect(heard).toEqual(['heard']);
  });

  test('end soon after the loop disconnects the socket', async () => {
    const { raw, socket } = await openRaw();
    const heard: unknown[] = [];
    const done = (async () => {
      for await (const data of socket.receiver<number>('n')) {
        heard.push(data);
        if (data === 2) await socket.disconnect(4100);
      }
    })();
    raw.write(bytes(numbers.map((data) => ({ event: 'n', data }))));
    await done;
    // The streams of the socket are killed behind its last events: one more may have been on its way to the loop.
    expect(heard.slice(0, 3)).toEqual([0, 1, 2]);
    expect(heard.length).toBeLessThan(5);
    expect(await raw.closeCode()).toBe(4100);
  });

  test('are calls and transmits of the same name, each in its own stream', async () => {
    const { raw, socket } = await openRaw();
    const order: unknown[] = [];
    const calls = (async () => {
      for await (const request of socket.procedure('x')) {
        order.push(`call ${request.id}`);
        request.end(request.id);
        if (request.id === 6) break;
      }
    })();
    const transmits = (async () => {
      for await (const data of socket.receiver('x')) {
        order.push(`transmit ${String(data)}`);
        if (data === 5) break;
      }
    })();
    raw.write(
      bytes([
        { event: 'x', cid: 2 },
        { event: 'x', data: 3 },
        { event: 'x', cid: 4 },
        { event: 'x', data: 5 },
        { event: 'x', cid: 6 },
      ]),
    );
    await Promise.all([calls, transmits]);
    expect(order).toEqual(['call 2', 'transmit 3', 'call 4', 'transmit 5', 'call 6']);
    await raw.frame(
      ({ opcode, payload }) => opcode === OPCODES.text && payload.toString() === '{"rid":6,"data":6}',
    );
  });
});

describe('a batch of many packets', () => {
  const many = 9000;

  test.each([
    ['without middleware', false],
    ['with an inbound middleware', true],
  ])('lets the packets of others in, %s', async (_, isJudged) => {
    const { server, open } = await startServer();
    if (isJudged) {
      server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
        for await (const action of stream) action.allow();
      });
    }
    const [busy, bystander] = [await open(), await open()];
    let handled = 0;
    const all = (async () => {
      for await (const data of busy.socket.receiver('n')) {
        // Not before: now the batch is being processed.
        if (handled === 0) bystander.client.send({ event: 'ask', cid: 2 });
        handled += 1;
        if (data === 'last') return;
      }
    })();
    const asked = (async () => {
      for await (const request of bystander.socket.procedure('ask')) {
        request.end(handled);
        return;
      }
    })();
    const batch: object[] = Array.from({ length: many }, (__, data) => ({ event: 'n', data }));
    busy.client.send([...batch, { event: 'n', data: 'last' }]);
    await Promise.all([all, asked]);
    expect(handled).toBe(many + 1);
    const answer = await bystander.client.next(({ rid }) => rid === 2);
    expect(Number(answer.data)).toBeLessThan(many);
  });
});
