import {
  collected,
  encodeFrame,
  nextValue,
  OPCODES,
  RawConnection,
  startServer,
  turn,
  until,
} from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

type Piece =
  | { readonly kind: 'packets'; readonly count: number; readonly size: number }
  | { readonly kind: 'batch'; readonly count: number }
  | { readonly kind: 'fragments'; readonly cuts: number }
  | { readonly kind: 'ping' | 'pong' };

const PIECES: fc.Arbitrary<Piece[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('packets' as const),
      count: fc.integer({ min: 1, max: 12 }),
      size: fc.constantFrom(0, 0, 3, 200, 5000),
    }),
    fc.record({ kind: fc.constant('batch' as const), count: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ kind: fc.constant('fragments' as const), cuts: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constantFrom('ping' as const, 'pong' as const) }),
  ),
  { minLength: 1, maxLength: 25 },
);

/** The frames of all pieces, with packets numbered through, and how many packets that are. */
function encode(pieces: readonly Piece[]): { bytes: Buffer; count: number; pings: number } {
  const frames: Buffer[] = [];
  let count = 0;
  let pings = 0;
  const packet = (size = 0): object => ({ event: 'told', data: [count++, 'x'.repeat(size)] });
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'packets':
        for (let n = 0; n < piece.count; n += 1) frames.push(encodeFrame(JSON.stringify(packet(piece.size))));
        break;
      case 'batch':
        frames.push(encodeFrame(JSON.stringify(Array.from({ length: piece.count }, () => packet()))));
        break;
      case 'fragments': {
        const text = JSON.stringify(packet());
        const step = Math.ceil(text.length / (piece.cuts + 1));
        for (let at = 0; at < text.length; at += step) {
          const fin = at + step >= text.length;
          frames.push(encodeFrame(text.slice(at, at + step), { opcode: at === 0 ? OPCODES.text : 0, fin }));
        }
        break;
      }
      case 'ping':
        frames.push(encodeFrame(`ping ${pings++}`, { opcode: OPCODES.ping }));
        break;
      case 'pong':
        frames.push(encodeFrame(''));
        break;
      default:
        piece satisfies never;
    }
  }
  return { bytes: Buffer.concat(frames), count, pings };
}

test('nothing is lost and the order is kept, whatever is paused when', async () => {
  const limits = fc.record({
    maxInboundQueue: fc.integer({ min: 1, max: 10 }),
    maxInboundQueueBytes: fc.constantFrom(50, 1000, 100_000),
    // Fast enough for a test, slow enough to pause again and again.
    rates: fc.constantFrom(
      0 as const,
      { socket: { messages: { perSecond: 3000, burst: 10 } } },
      { address: { bytes: { perSecond: 400_000, burst: 500 } }, socket: { messages: 2000 } },
    ),
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 });
  const pauses = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(PIECES, limits, cuts, pauses, async (pieces, given, reads, turns) => {
      await using started = await startServer({ limits: given });
      const { server, port } = started;
      const connected = nextValue(server.listener('connection'));
      const raw = await RawConnection.upgrade(port);
      raw.send({ event: '#handshake', cid: 1 });
      const { socket } = await connected;
      const received = collected(socket.receiver('told'));
      let asked = 0;
      server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
        for await (const action of stream) {
          for (let left = turns[asked++ % turns.length] ?? 0; left > 0; left -= 1) await turn();
          action.allow();
        }
      });
      const { bytes, count, pings } = encode(pieces);
      for (let at = 0, n = 0; at < bytes.length; n += 1) {
        const length = reads[n % reads.length] ?? 1;
        raw.write(bytes.subarray(at, at + length));
        at += length;
        if (n % 3 === 0) await turn();
      }
      await until(() => received.length >= count);
      raw.send({ event: '#unsubscribe', data: 'nothing', cid: 2 });
      await raw.frame(({ payload }) => payload.toString().startsWith('{"rid":2'));
      expect(received.map((data) => (data as [number])[0])).toEqual(
        Array.from({ length: count }, (_, n) => n),
      );
      const pongs = raw.frames
        .filter(({ opcode }) => opcode === OPCODES.pong)
        .map(({ payload }) => payload.toString());
      expect(pongs).toEqual(Array.from({ length: pings }, (_, n) => `ping ${n}`));
      expect(socket.getInboundBackpressure()).toBe(0);
      raw.reset();
    }),
    { numRuns: 60 },
  );
}, 60_000);
