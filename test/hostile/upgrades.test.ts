import { requestUpgrade, upgradeRequest } from '@socketcluster-ts/testkit';
import { describe, expect } from 'vitest';
import { underAttack } from './under-attack.js';

const KEY = 'AAAAAAAAAAAAAAAAAAAAAA==';

describe('an upgrade request', () => {
  const attack = underAttack();

  attack.each([
    ['another path', 400, { path: '/' }],
    ['a path behind the path', 400, { path: '/socketcluster/../x' }],
    ['a path of 10,000 letters', 400, { path: `/${'x'.repeat(10_000)}` }],
    ['a method that is no GET', 405, { method: 'POST' }],
    ['no key', 400, { headers: { 'Sec-WebSocket-Key': '' } }],
    ['a key that is too short', 400, { headers: { 'Sec-WebSocket-Key': 'AAAA' } }],
    ['a key that is too long', 400, { headers: { 'Sec-WebSocket-Key': KEY.repeat(100) } }],
    ['version 12', 400, { headers: { 'Sec-WebSocket-Version': '12' } }],
    ['version 1e1', 400, { headers: { 'Sec-WebSocket-Version': '1e1' } }],
    ['another protocol', 400, { headers: { Upgrade: 'h2c' } }],
    ['subprotocols that are none', 400, { headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }],
  ] as const)('with %s is answered by %s', async ({ port }, [, status, request]) => {
    expect(await requestUpgrade(port, request)).toMatchObject({ status });
  });

  attack.each([
    ['headers of 20 KB', 431, `GET /socketcluster/ HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['noise', 400, '\u0000\u0001\u0002\r\n\r\n'],
    ['a TLS greeting', 400, Buffer.from('160301020001000', 'hex')],
    ['a line feed in a header', 400, 'GET / HTTP/1.1\r\nHost: a\nb: c\u0000\r\n\r\n'],
    ['no host', 400, 'GET /socketcluster/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['two lengths', 400, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ] as const)('of %s is answered by %s', async (target, [, status, bytes]) => {
    const connection = await target.dial();
    connection.write(bytes);
    expect(await connection.head()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    await connection.ended();
  });

  attack('with frames right behind it is served', async (target) => {
    const connection = await target.dial();
    connection.write(upgradeRequest(target.port));
    connection.send({ event: '#handshake', cid: 1 });
    connection.send({ event: 'echo', data: 'early', cid: 2 });
    const answer = await connection.frame(({ payload }) => payload.includes('early'));
    expect(String(answer.payload)).toBe('{"rid":2,"data":"early"}');
  });

  attack('twice on one connection is a broken frame', async (target) => {
    const connection = await target.upgrade();
    connection.write(upgradeRequest(target.port));
    expect(await connection.closeCode()).toBe(1002);
  });

  attack('a byte at a time is served like another', async (target) => {
    const connection = await target.dial();
    for (const byte of Buffer.from(upgradeRequest(target.port))) connection.write(Buffer.of(byte));
    expect(await connection.head()).toContain(' 101 ');
  });

  attack('a thousand times, cut anywhere, leaves nothing behind', async (target) => {
    const request = upgradeRequest(target.port);
    for (let round = 0; round < 20; round += 1) {
      const connections = await Promise.all(Array.from({ length: 50 }, () => target.dial()));
      for (const [index, connection] of connections.entries()) {
        connection.write(request.slice(0, ((round * 50 + index) * 37) % (request.length + 1)));
        if (index % 3 === 0) connection.end();
        else connection.reset();
      }
    }
    expect((await requestUpgrade(target.port)).status).toBe(101);
  });
});

describe('a slow upgrade request', () => {
  const attack = underAttack({}, { listen: true });

  attack('of a byte per second, on twenty connections, is answered by 408', async (target) => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => target.dial()));
    const request = Buffer.from(upgradeRequest(target.port));
    let sent = 0;
    const drip = setInterval(() => {
      for (const connection of connections) connection.write(request.subarray(sent, sent + 1));
      sent += 1;
    }, 1000);
    try {
      // Ten seconds are allowed, and it is looked every two.
      for (const connection of connections) expect(await connection.head(20_000)).toContain(' 408 ');
    } finally {
      clearInterval(drip);
    }
    expect(sent).toBeLessThan(20);
  });
});

describe('a half-open handshake', () => {
  const attack = underAttack({ handshakeTimeout: 1500 });

  attack('a thousand times is closed with 4005', async (target) => {
    const connections = [];
    for (let round = 0; round < 20; round += 1) {
      connections.push(...(await Promise.all(Array.from({ length: 50 }, () => target.upgrade()))));
    }
    for (const connection of connections) expect(await connection.closeCode(10_000)).toBe(4005);
  });

  attack('that sends pings and pongs all the time is closed all the same', async (target) => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => target.upgrade()));
    const chatter = setInterval(() => {
      for (const connection of connections) connection.writeFrame('x', { opcode: 9 });
    }, 100);
    try {
      for (const connection of connections) expect(await connection.closeCode(10_000)).toBe(4005);
    } finally {
      clearInterval(chatter);
    }
  });
});

describe('half-open handshakes without end', () => {
  const attack = underAttack({ limits: { maxPendingHandshakes: 200 } });

  attack('are refused with 503 above the limit, and who is connected is served', async (target) => {
    const held = [];
    for (let round = 0; round < 4; round += 1) {
      held.push(...(await Promise.all(Array.from({ length: 50 }, () => target.upgrade()))));
    }
    const refused = await Promise.all(Array.from({ length: 100 }, () => requestUpgrade(target.port)));
    for (const { status, headers } of refused) {
      expect(status).toBe(503);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(held.some(({ isClosed }) => isClosed)).toBe(false);
  });
});
