import { encodeFrame } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { underAttack } from './under-attack.js';

const COURSE = Buffer.concat(
  [
    { event: '#handshake', cid: 1 },
    { event: '#subscribe', data: { channel: 'left behind' }, cid: 2 },
    { event: '#publish', data: { channel: 'left behind', data: 'x'.repeat(200) }, cid: 3 },
    { event: 'ask me', cid: 4 },
    { event: 'never', cid: 5 },
    { event: 'log in', cid: 6 },
    { event: '#unsubscribe', data: 'left behind', cid: 7 },
  ].map((packet) => encodeFrame(JSON.stringify(packet))),
);

describe('a connection', () => {
  const attack = underAttack({ authKey: 'a secret of forty-one bytes, for tests only' });

  attack.each(['reset', 'end'] as const)('may %s in the middle of any frame', async (target, end) => {
    for (let at = 0; at < COURSE.length; at += 5) {
      const connection = await target.upgrade();
      connection.write(COURSE.subarray(0, at));
      connection[end]();
      if (end === 'end') await connection.ended();
    }
    expect(COURSE.length).toBeGreaterThan(500);
  });

  attack('may be reset while it is answered', async (target) => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => target.upgrade()));
    for (const connection of connections) connection.write(COURSE.subarray(0, -10));
    await Promise.all(
      connections.map(async (connection) => {
        await connection.frame();
        connection.reset();
        await connection.closed;
      }),
    );
    expect(connections.every(({ isClosed }) => isClosed)).toBe(true);
  });

  attack('may be reset with its close frame under way', async (target) => {
    for (let round = 0; round < 50; round += 1) {
      const connection = await target.upgrade();
      connection.write(COURSE);
      connection.writeFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 });
      connection.reset();
      await connection.closed;
    }
    expect(await target.open().then((client) => client.call('echo', 1))).toMatchObject({ data: 1 });
  });

  attack('that closes and goes on sending is not listened to', async (target) => {
    const connection = await target.upgrade();
    connection.send({ event: '#handshake', cid: 1 });
    await connection.frame();
    connection.writeFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 });
    for (let index = 0; index < 100; index += 1)
      connection.send({ event: 'echo', data: 'too late', cid: index });
    expect(await connection.closeCode()).toBe(1000);
    await connection.ended();
    expect(connection.frames.some(({ payload }) => payload.includes('too late'))).toBe(false);
  });

  attack('that is told to close, and does not, is cut', async (target) => {
    const connection = await target.upgrade();
    connection.send({ event: 'too early', cid: 1 });
    expect(await connection.closeCode()).toBe(4009);
    // It answers nothing, keeps its side open and goes on sending.
    connection.send({ event: 'echo', data: 'on and on', cid: 2 });
    await connection.ended(10_000);
    expect(connection.frames).toHaveLength(1);
  });

  attack('made and dropped five hundred times leaves nothing behind', async (target) => {
    for (let round = 0; round < 10; round += 1) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => target.open()));
      for (const client of clients)
        client.send({ event: '#subscribe', data: { channel: client.id }, cid: 2 });
      for (const client of clients) client.terminate();
      await Promise.all(clients.map(({ closed }) => closed));
    }
    expect(await target.open().then((client) => client.call('echo', 1))).toMatchObject({ data: 1 });
  });
});
