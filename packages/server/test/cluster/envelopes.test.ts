import { AGSimpleBroker, type RelayBroker, relayBroker } from '@socketcluster-ts/server';
import { afterTest } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScriptedLink } from './scripted-link.js';

interface Node {
  readonly link: ScriptedLink;
  readonly relay: RelayBroker;
  /** What a subscriber of the channel `room` got. */
  readonly received: unknown[];
}

async function startNode(): Promise<Node> {
  const link = new ScriptedLink();
  const relay = relayBroker(new AGSimpleBroker(), link);
  afterTest(() => relay.close());
  link.establish();
  const received: unknown[] = [];
  const reader = {
    id: 'reader',
    transmit: (_: string, { data }: { data?: unknown }) => void received.push(data),
  };
  const subscribed = relay.subscribeSocket(reader, 'room');
  link.answer(0, true);
  await subscribed;
  return { link, relay, received };
}

/** What another node sends for a publish of `data`. */
async function envelopeOf(data: unknown): Promise<Buffer> {
  const { link, relay } = await startNode();
  const published = relay.invokePublish('room', data);
  await expect.poll(() => link.published.length).toBe(1);
  link.answer(0, true);
  await published;
  const [first] = link.published;
  if (first === undefined) throw new Error('Nothing was published');
  return Buffer.from(first.message);
}

test('an envelope is laid out as documented', async () => {
  const envelope = await envelopeOf('hi');
  const payload = '{"event":"#publish","data":{"channel":"room","data":"hi"}}';
  expect(envelope.length).toBe(14 + 5 + payload.length);
  expect([...envelope.subarray(0, 2)]).toEqual([1, 14]);
  expect(envelope.readUInt32BE(10)).toBe(1);
  expect(envelope[14]).toBe(0);
  expect(envelope.readUInt32BE(15)).toBe(payload.length);
  expect(envelope.toString('utf8', 19)).toBe(payload);
});

test('no envelope is longer than what the engine takes, a shared one neither', async () => {
  const { link, relay } = await startNode();
  link.maxMessageBytes = 200;
  const text = 'x'.repeat(200 - 14 - 5 - '{"event":"#publish","data":{"channel":"room","data":""}}'.length);
  const all = [text, 'a', 'b', 'c', 'd'].map((data) => relay.invokePublish('room', data));
  await expect(relay.invokePublish('room', `${text}x`)).rejects.toThrow('has 182 bytes: the relay takes 181');
  await expect.poll(() => link.published.length).toBe(3);
  while (link.asked.length > 0) link.answer(0, true);
  await Promise.all(all);
  expect(link.published.map(({ message }) => message.byteLength <= 200)).toEqual([true, true, true]);
  expect(link.published[0]?.message.byteLength).toBe(200);
});

test('fields of a longer header are skipped, another version is counted and ignored', async () => {
  const envelope = await envelopeOf('hi');
  const { link, relay, received } = await startNode();
  const longer = Buffer.concat([envelope.subarray(0, 14), Buffer.from('position'), envelope.subarray(14)]);
  longer[1] = 14 + 'position'.length;
  link.send('room', longer);
  expect(received).toEqual(['hi']);
  const newer = Buffer.from(envelope);
  newer[0] = 2;
  link.send('room', newer);
  expect(received).toEqual(['hi']);
  expect(relay.stats).toMatchObject({ received: 1, foreign: 1, malformed: 0 });
});

test('what a node had sent through an earlier connection does not come after what it sent through a later one', async () => {
  const [early, late] = [await envelopeOf('early'), await envelopeOf('late')];
  early.copy(late, 2, 2, 10);
  late.writeUInt32BE(2, 10);
  const { link, relay, received } = await startNode();
  link.send('room', early);
  link.send('room', late);
  link.send('room', early);
  link.send('room', late);
  expect(received).toEqual(['early', 'late', 'late']);
  expect(relay.stats.stale).toBe(1);
});

test('a text that is no UTF-8, which would close the connections of all clients, is not delivered', async () => {
  const envelope = await envelopeOf('hi');
  envelope[envelope.length - 4] = 0xff;
  const { link, relay, received } = await startNode();
  link.send('room', envelope);
  expect(received).toEqual([]);
  expect(relay.stats).toMatchObject({ received: 0, malformed: 1 });
});

test('data that the codec cannot decode is an error, and keeps nothing from those who need not look at it', async () => {
  const envelope = await envelopeOf('hi');
  envelope.fill('x', 19);
  const { link, relay, received } = await startNode();
  const frames: string[] = [];
  const errors: unknown[] = [];
  void relay.listener('error').each(({ error }) => void errors.push(error));
  relay.setCodecEngine({
    encode: (value) => JSON.stringify(value),
    decode: (text) => JSON.parse(text as string) as unknown,
  });
  void relay.subscribeSocket(
    { id: 'fast', transmit: () => {}, deliver: ({ frame }) => void frames.push(frame.toString('latin1')) },
    'room',
  );
  link.send('room', envelope);
  expect(frames).toHaveLength(1);
  expect(received).toEqual([]);
  await expect.poll(() => errors.length).toBe(1);
  expect(String(errors[0])).toContain('SyntaxError');
});

test('any bytes from the engine are counted, and nothing throws', async () => {
  const sound = await envelopeOf({ n: 1 });
  const { link, relay } = await startNode();
  let sent = 0;
  const changed = fc.tuple(fc.nat(sound.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = Buffer.from(sound);
    bytes[at] = byte;
    return bytes;
  });
  const cut = fc.nat(sound.length).map((length) => sound.subarray(0, length));
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, cut, fc.uint8Array({ maxLength: 40 })), async (bytes) => {
      link.send('room', bytes);
      sent += 1;
      const { received, foreign, malformed, stale } = relay.stats;
      expect(received + foreign + malformed + stale).toBe(sent);
    }),
    { numRuns: 2000 },
  );
});
