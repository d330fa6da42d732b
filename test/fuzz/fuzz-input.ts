import { encodeFrame, type FrameOptions, OPCODES } from '@socketcluster-ts/testkit/encode-frame';
import fc from 'fast-check';
import { type ServerName, serverNames } from './fuzz-server.js';

/** How a client leaves. */
export type End = 'stay' | 'end' | 'break';

/** All that one client does, to one of the servers. */
export interface FuzzInput {
  readonly server: ServerName;
  /** Whether what the server writes leaves only in the next turn of the event loop. */
  readonly isSlow: boolean;
  /** The bytes that it sends, each a read of its own. */
  readonly reads: readonly Buffer[];
  readonly end: End;
}

const RESERVED = [
  '#handshake',
  '#authenticate',
  '#removeAuthToken',
  '#subscribe',
  '#unsubscribe',
  '#publish',
  '#setAuthToken',
  '#kickOut',
  '#abort',
  '#gap',
];
const ODD_NAMES = [
  'constructor',
  '__proto__',
  'toString',
  'then',
  '',
  '#',
  '\u0000',
  'x'.repeat(41),
  'é'.repeat(41),
];
const TOKENS = ['a.b.c', 'eyJhbGciOiJub25lIn0.e30.', '...', 'x'.repeat(100)];

/** Those that are hard to carry: halves of characters, ends of lines, what JSON escapes. */
const oddCharacter = fc.constantFrom(
  'a',
  '#',
  '"',
  '\\',
  '\0',
  '\n',
  'é',
  '😀',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\udc00',
);

const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...RESERVED) },
  { weight: 3, arbitrary: fc.constantFrom('echo', 'fail', 'a', 'b') },
  { weight: 2, arbitrary: fc.constantFrom(...ODD_NAMES) },
  { weight: 1, arbitrary: fc.string({ unit: oddCharacter, maxLength: 6 }) },
);
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    1,
    true,
    'a',
    [],
    {},
    { channel: 'a' },
    { type: 'Buffer', data: [1, 'x', -1] },
  ),
  anyName,
  fc.jsonValue({ maxDepth: 2 }),
);
const anyCid = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>('1', null, true, [], 0.5, -1, 1e308, 5e-324, 2 ** 60) },
);
const anyData = fc.oneof(
  { weight: 2, arbitrary: anyValue },
  { weight: 4, arbitrary: fc.record({ channel: anyName, data: anyValue }, { requiredKeys: ['channel'] }) },
  {
    weight: 1,
    arbitrary: fc.record({ authToken: anyValue, ext: fc.constantFrom<unknown>(['abort'], [], 1, null) }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...TOKENS) },
  { weight: 1, arbitrary: fc.record({ cid: anyCid }) },
);
const anyPacket = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ event: anyName, data: anyData, cid: anyCid }, { requiredKeys: ['event'] }),
  },
  { weight: 4, arbitrary: fc.record({ event: fc.constant('echo'), data: anyValue, cid: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({ rid: anyCid, data: anyValue, error: anyValue }, { requiredKeys: ['rid'] }),
  },
  { weight: 1, arbitrary: anyValue },
);

/** Pieces that mean something to a parser of JSON or of packets. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  '1e999',
  '-0',
  'null',
  '"__proto__":{},',
];
const anyEdit = fc.record({
  at: fc.nat(200),
  cut: fc.nat(3),
  put: fc.oneof(
    fc.constantFrom(...PIECES),
    fc.constantFrom('"event":"echo",', '"cid":1,', '"rid":1,', '', '[[', ']]'),
  ),
});
const packetText = fc.oneof(
  { weight: 6, arbitrary: anyPacket.map((packet) => JSON.stringify(packet) ?? '') },
  { weight: 3, arbitrary: fc.array(anyPacket, { maxLength: 12 }).map((packets) => JSON.stringify(packets)) },
);
const anyText = fc.oneof(
  { weight: 8, arbitrary: packetText },
  {
    weight: 3,
    arbitrary: fc.tuple(packetText, fc.array(anyEdit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
      edits.reduce((edited, { at, cut, put }) => {
        const place = at % (edited.length + 1);
        return edited.slice(0, place) + put + edited.slice(place + cut);
      }, text),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '#1', '#2', ' ', '[]', '{}', '[[]]', 'null', '[null]', '\ufeff{}'),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(40), fc.constantFrom('echo', '#publish'))
      .map(
        ([depth, event]) =>
          `{"event":"${event}","cid":1,"data":{"channel":"a","data":${'['.repeat(depth)}${']'.repeat(depth)}}}`,
      ),
  },
);

const maskKey = fc.uint8Array({ minLength: 4, maxLength: 4 });
const frame = (payload: Uint8Array | string, options: FrameOptions): Buffer => encodeFrame(payload, options);
const textFrame = fc.tuple(anyText, maskKey).map(([text, key]) => frame(text, { maskKey: key }));
const binaryFrame = fc
  .tuple(anyText, maskKey)
  .map(([text, key]) => frame(text, { maskKey: key, opcode: OPCODES.binary }));
const controlFrame = fc
  .tuple(fc.constantFrom(OPCODES.ping, OPCODES.pong), fc.uint8Array({ maxLength: 125 }), maskKey)
  .map(([opcode, payload, key]) => frame(payload, { opcode, maskKey: key }));
/** A message in fragments, with control frames in between. */
const fragments = fc
  .tuple(
    anyText,
    fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }),
    fc.array(controlFrame, { maxLength: 2 }),
    maskKey,
  )
  .map(([text, places, controls, key]) => {
    const parts = cutAt(Buffer.from(text), places);
    const frames = parts.map((part, index) =>
      frame(part, {
        opcode: index === 0 ? OPCODES.text : OPCODES.continuation,
        fin: index === parts.length - 1,
        maskKey: key,
      }),
    );
    return Buffer.concat(frames.flatMap((bytes, index) => [bytes, controls[index] ?? Buffer.alloc(0)]));
  });
const closeFrame = fc
  .tuple(
    fc.oneof(fc.constantFrom(1000, 1001, 3000, 4999), fc.integer({ min: 990, max: 5010 })),
    fc.uint8Array({ maxLength: 20 }),
    fc.nat(22),
    maskKey,
  )
  .map(([code, reason, length, key]) =>
    frame(Buffer.concat([Buffer.from([code >> 8, code & 255]), reason]).subarray(0, length), {
      opcode: OPCODES.close,
      maskKey: key,
    }),
  );
/** Any frame at all: opcodes, reserved bits, without a mask, without an end. */
const oddFrame = fc
  .record({
    opcode: fc.nat(15),
    fin: fc.boolean(),
    mask: fc.boolean(),
    reserved: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
    maskKey,
    payload: fc.uint8Array({ maxLength: 130 }),
  })
  .map(({ payload, ...options }) => frame(payload, options));
/** The head of a frame that is longer than it has to be, or than anything may be. */
const oddLength = fc
  .tuple(
    fc.constantFrom(126, 127),
    fc.constantFrom(0n, 1n, 5n, 1999n, 2001n, 65_536n, 1n << 53n, (1n << 64n) - 1n),
    maskKey,
  )
  .map(([form, length, key]) => {
    const head = Buffer.alloc(form === 126 ? 4 : 10);
    head.set([0x81, 0x80 | form]);
    if (form === 126) head.writeUInt16BE(Number(length & 0xffffn), 2);
    else head.writeBigUInt64BE(length, 2);
    return Buffer.concat([head, key, Buffer.alloc(5)]);
  });

const anyFrame = fc.oneof(
  { weight: 20, arbitrary: textFrame },
  { weight: 2, arbitrary: binaryFrame },
  { weight: 2, arbitrary: controlFrame },
  { weight: 3, arbitrary: fragments },
  { weight: 1, arbitrary: closeFrame },
  { weight: 1, arbitrary: oddFrame },
  { weight: 1, arbitrary: oddLength },
  // Long enough for the limit, and for the longest frame that is kept until it is complete.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(6000), maskKey)
      .map(([length, key]) => frame('x'.repeat(length), { maskKey: key })),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((noise) => Buffer.from(noise)) },
);

const HANDSHAKES = [
  '{"event":"#handshake","data":{"authToken":null},"cid":1}',
  '{"event":"#handshake","data":{"authToken":null,"ext":["abort","gap","retry"]},"cid":1}',
  '[{"event":"#handshake","cid":1},{"event":"#subscribe","data":{"channel":"a"},"cid":2}]',
];
const handshake = fc
  .tuple(fc.constantFrom(...HANDSHAKES), maskKey)
  .map(([text, key]) => [frame(text, { maskKey: key })]);

/** What clients may do, mostly behind a handshake, since little happens without one. */
export const anyInput: fc.Arbitrary<FuzzInput> = fc
  .record({
    server: fc.constantFrom(...serverNames),
    isSlow: fc.boolean(),
    shake: fc.oneof({ weight: 9, arbitrary: handshake }, { weight: 1, arbitrary: fc.constant<Buffer[]>([]) }),
    /** Whether the handshake is a read of its own. */
    isApart: fc.boolean(),
    frames: fc.array(anyFrame, { maxLength: 10 }),
    places: fc.array(fc.nat(2000), { maxLength: 6 }),
    /** Whether the reads are cut at the ends of frames. */
    isWhole: fc.boolean(),
    end: fc.constantFrom<End>('stay', 'end', 'break'),
  })
  .map(({ server, isSlow, shake, isApart, frames, places, isWhole, end }) => {
    const rest = isApart ? frames : [...shake, ...frames];
    const reads = isWhole ? rest : cutAt(Buffer.concat(rest), places);
    return {
      server,
      isSlow,
      end,
      reads: (isApart ? [...shake, ...reads] : reads).filter(({ length }) => length > 0),
    };
  });

/** The bytes, cut at these places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}
