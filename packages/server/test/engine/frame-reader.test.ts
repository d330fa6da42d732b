import type { Writable } from 'node:stream';
import { fc, test } from '@fast-check/vitest';
import { encodeFrame, OPCODES } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import * as ws from 'ws';
import { parseClose } from '../../src/engine/close-frame.js';
import { FrameReader } from '../../src/engine/frame-reader.js';

/** Exported by `ws`, but missing in its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

const MAX_PAYLOAD = 300;

/** What came out of a stream of bytes, in order. */
type Entry = readonly [kind: string, what: string | number, reason?: string];

/** The reader of `ws`, with everything it reports. It is the judge of what a stream of bytes means. */
function receiver(log: Entry[], onRefusal?: () => void): (bytes: Buffer) => void {
  const reader = new Receiver({ isServer: true, maxPayload: MAX_PAYLOAD, allowSynchronousEvents: true });
  reader.on('message', (data: Buffer, isBinary: boolean) => {
    log.push([isBinary ? 'binary' : 'text', data.toString('hex')]);
  });
  reader.on('ping', (data: Buffer) => log.push(['ping', data.toString('hex')]));
  reader.on('pong', (data: Buffer) => log.push(['pong', data.toString('hex')]));
  reader.on('conclude', (code: number, reason: Buffer) => log.push(['close', code, reason.toString('hex')]));
  reader.on('error', (error: Error & { code?: string }) => {
    log.push(['error', error.code ?? error.message]);
    onRefusal?.();
  });
  return (bytes) => void reader.write(bytes);
}

/** What comes out of the chunks when the reader stands before that of `ws`. */
async function readInFront(chunks: readonly Buffer[]): Promise<{ log: Entry[]; passed: number }> {
  const log: Entry[] = [];
  let passed = 0;
  let isRefused = false;
  let isHandedBack = false;
  let isClosed = false;
  const passOn = receiver(log, () => (isRefused = true));
  const reader = new FrameReader(
    {
      onFrame(message, payloadBytes) {
        const bytes = Buffer.from(message as string);
        expect(bytes.length).toBe(payloadBytes);
        log.push([typeof message === 'string' ? 'text' : 'binary', bytes.toString('hex')]);
      },
      passOn(bytes) {
        passed += bytes.length;
        passOn(bytes);
      },
      onCloseFrame(payload) {
        const close = parseClose(payload);
        if (close === undefined) return false;
        log.push(['close', close.code, Buffer.from(close.reason).toString('hex')]);
        isClosed = true;
        return true;
      },
      handBack() {
        isHandedBack = true;
      },
    },
    MAX_PAYLOAD,
  );
  await feed(chunks, (chunk) => {
    if (isRefused || isClosed) return;
    if (isHandedBack) passOn(chunk);
    else reader.read(chunk);
  });
  return { log, passed };
}

async function readByWs(chunks: readonly Buffer[]): Promise<Entry[]> {
  const log: Entry[] = [];
  const read = receiver(log);
  await feed(chunks, read);
  return log;
}

/** Each chunk is a read of its own, in a later turn of the event loop. The reader may write to what it gets. */
async function feed(chunks: readonly Buffer[], read: (chunk: Buffer) => void): Promise<void> {
  for (const chunk of chunks) {
    read(Buffer.from(chunk));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The bytes, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ minLength: 120, maxLength: 140 }),
);
const bytes = fc.uint8Array({ maxLength: 140 });
const good = fc.oneof(
  { weight: 5, arbitrary: text.map((payload) => encodeFrame(payload)) },
  { weight: 2, arbitrary: bytes.map((payload) => encodeFrame(payload, { opcode: OPCODES.binary })) },
  fc
    .tuple(fc.constantFrom(OPCODES.ping, OPCODES.pong), fc.uint8Array({ maxLength: 125 }))
    .map(([opcode, payload]) => encodeFrame(payload, { opcode })),
  fc
    .tuple(
      fc.constantFrom(OPCODES.text, OPCODES.binary),
      fc.array(fc.string({ maxLength: 60 }), { minLength: 2 }),
    )
    .map(([opcode, parts]) =>
      Buffer.concat(
        parts.map((part, index) =>
          encodeFrame(part, {
            opcode: index === 0 ? opcode : OPCODES.continuation,
            fin: index === parts.length - 1,
          }),
        ),
      ),
    ),
);
const bad = fc.oneof(
  // Any frame at all, with or without a mask, reserved bits, and an end.
  fc
    .tuple(fc.nat(15), fc.boolean(), fc.boolean(), fc.nat(7), bytes)
    .map(([opcode, fin, mask, reserved, payload]) => encodeFrame(payload, { opcode, fin, mask, reserved })),
  // Text that is no UTF-8.
  bytes.map((payload) => encodeFrame(Buffer.concat([payload, Buffer.from([0xff])]))),
  fc.nat(400).map((length) => encodeFrame('x'.repeat(MAX_PAYLOAD - 100 + length))),
  fc.uint8Array({ maxLength: 30 }).map((noise) => Buffer.from(noise)),
  fc.constant(encodeFrame(Buffer.from([3, 232, 98, 121, 101]), { opcode: OPCODES.close })),
  // A close frame, with any code or with a payload that cannot be one.
  fc
    .tuple(fc.integer({ min: 990, max: 5010 }), fc.oneof(text, bytes))
    .map(([code, reason]) =>
      Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as string)]),
    )
    .map((payload) => encodeFrame(payload.subarray(0, 125), { opcode: OPCODES.close })),
  bytes.map((payload) => encodeFrame(payload.subarray(0, 125), { opcode: OPCODES.close })),
  // A length that no message has.
  fc.constant(Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])),
);
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('a reader of frames', () => {
  test.prop([fc.array(good), cuts], { numRuns: 500 })(
    'reads what `ws` reads, wherever the reads of the connection end',
    async (frames, places) => {
      const chunks = cut(Buffer.concat(frames), places);
      expect((await readInFront(chunks)).log).toEqual(await readByWs(chunks));
    },
  );

  test.prop([fc.array(good), fc.array(bad, { minLength: 1, maxLength: 3 }), fc.array(good), cuts], {
    numRuns: 1000,
  })('stops where `ws` stops, for the same reason', async (before, wrong, behind, places) => {
    const chunks = cut(Buffer.concat([...before, ...wrong, ...behind]), places);
    const expected = await readByWs(chunks);
    const { log } = await readInFront(chunks);
    // `ws` reports an error a moment later, when the messages of the same read have been told.
    expect(log).toEqual(expected);
  });

  test.each([
    ['a message', [0x81, 0xff, 0x81, 0x82, 0, 0, 0, 0, 120, 120]],
    ['a first fragment', [0x01, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]],
    ['a further fragment', [...encodeFrame('x'.repeat(MAX_PAYLOAD), { fin: false }), 0x00, 0x81]],
  ])('refuses %s that is too long as soon as its length has come, as `ws` does', async (_what, input) => {
    const chunks = [Buffer.from(input)];
    const expected = await readByWs(chunks);
    expect(expected).toHaveLength(1);
    expect((await readInFront(chunks)).log).toEqual(expected);
  });

  test.prop([fc.array(text.filter((payload) => Buffer.byteLength(payload) <= MAX_PAYLOAD))])(
    'leaves nothing to `ws` of messages that come whole',
    async (payloads) => {
      const { log, passed } = await readInFront([Buffer.concat(payloads.map((each) => encodeFrame(each)))]);
      expect(log.map(([, hex]) => Buffer.from(String(hex), 'hex').toString())).toEqual(
        payloads.map((each) => Buffer.from(each).toString()),
      );
      expect(passed).toBe(0);
    },
  );
});
