import { encodeFrame, OPCODES, type RawConnection } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { type Target, underAttack } from './under-attack.js';

const KIB = 1024;
const TOO_SLOW = 4010;

/** A subscriber of the channel `loud` that reads no further. */
async function deafSubscriber(target: Target): Promise<RawConnection> {
  const connection = await target.upgrade();
  connection.send([
    { event: '#handshake', cid: 1 },
    { event: '#subscribe', data: { channel: 'loud' }, cid: 2 },
  ]);
  await connection.frame(({ payload }) => payload.includes('"rid":2'));
  connection.pause();
  return connection;
}

/** Publishes to the channel `loud`: so many messages of 64 KiB, each acknowledged. */
async function publish(target: Target, count: number): Promise<void> {
  const client = await target.open();
  for (let index = 0; index < count; index += 1) {
    expect(await client.call('#publish', { channel: 'loud', data: 'x'.repeat(64 * KIB) })).not.toHaveProperty(
      'error',
    );
  }
}

/** Waits until connections have ended with this code, so many times. */
async function closures(target: Target, code: number, count: number): Promise<void> {
  const client = await target.open();
  let left = count;
  while (left > 0) {
    const { data } = await client.call('closures');
    left -= (data as number[]).filter((closed) => closed === code).length;
  }
}

describe('a reader', () => {
  const attack = underAttack();

  attack('that never reads is cut off, and so are ten; who publishes is not held up', async (target) => {
    const deaf = await Promise.all(Array.from({ length: 10 }, () => deafSubscriber(target)));
    await publish(target, 200);
    await closures(target, TOO_SLOW, deaf.length);
  });

  attack('that never reads the answers to its calls is cut off', async (target) => {
    const connection = await deafSubscriber(target);
    const call = encodeFrame(JSON.stringify({ event: 'echo', data: 'x'.repeat(512 * KIB), cid: 3 }));
    for (let index = 0; index < 40; index += 1) connection.write(call);
    await closures(target, TOO_SLOW, 1);
  });

  attack('that never reads the errors it is answered with is cut off', async (target) => {
    const connection = await deafSubscriber(target);
    const call = encodeFrame(
      JSON.stringify(
        Array.from({ length: 1000 }, () => ({ event: '#unsubscribe', data: 'y'.repeat(200), cid: 3 })),
      ),
    );
    for (let index = 0; index < 100; index += 1) connection.write(call);
    await closures(target, TOO_SLOW, 1);
  });

  attack('that never reads the pongs it asks for is cut off', async (target) => {
    const connection = await deafSubscriber(target);
    const pings = Buffer.concat(
      Array.from({ length: 4000 }, () => encodeFrame('x'.repeat(125), { opcode: OPCODES.ping })),
    );
    for (let index = 0; index < 40; index += 1) connection.write(pings);
    await closures(target, TOO_SLOW, 1);
  });

  attack('that leaves in the middle of what it is sent leaves nothing behind', async (target) => {
    const deaf = await Promise.all(Array.from({ length: 10 }, () => deafSubscriber(target)));
    await publish(target, 40);
    for (const connection of deaf) connection.reset();
    expect(await target.open().then((client) => client.call('echo', 1))).toMatchObject({ data: 1 });
  });
});

describe('a reader that lags for long', () => {
  const attack = underAttack({
    limits: { outboundBudget: { bytes: 64 * KIB * KIB, sustainedBytes: 256 * KIB, sustainedMs: 500 } },
  });

  attack('is cut off, however much it may hold for a moment', async (target) => {
    await deafSubscriber(target);
    await publish(target, 200);
    await closures(target, TOO_SLOW, 1);
  });
});

describe('where messages may be dropped, a reader', () => {
  const attack = underAttack({ limits: { onSlow: 'drop-oldest', outboundBudget: 256 * KIB } });

  attack('that never reads costs no more than its budget', async (target) => {
    const deaf = await Promise.all(Array.from({ length: 10 }, () => deafSubscriber(target)));
    await publish(target, 200);
    expect(deaf.some(({ isClosed }) => isClosed)).toBe(false);
    const client = await target.open();
    expect((await client.call('closures')).data).not.toContain(TOO_SLOW);
  });
});
