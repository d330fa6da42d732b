import {
  collected,
  consume,
  deferred,
  nextValue,
  ours,
  type Packet,
  startServer,
  turn,
} from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Waits for so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn();
}

const numbersOf = (packets: readonly Packet[], event: string): unknown[] =>
  packets
    .filter((packet) => packet.event === event)
    .map((packet) => (event === '#publish' ? (packet.data as { data: unknown }).data : packet.data));

describe('from client to server', () => {
  test('packets take effect in the order sent, however long their middleware waits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            kind: fc.constantFrom('transmit', 'invoke', 'publish', 'subscribe'),
            delay: fc.integer({ min: 0, max: 4 }),
            isBatched: fc.boolean(),
          }),
          { minLength: 1, maxLength: 25 },
        ),
        async (steps) => {
          await using started = await startServer();
          const { server, open } = started;
          const decided: unknown[] = [];
          server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
            consume(stream, async (action) => {
              if (action.type === action.AUTHENTICATE) return action.allow();
              const index = Number(action.data);
              await turns(steps[index]?.delay ?? 0);
              if (index >= 0) decided.push(index);
              return action.allow();
            }),
          );
          const { client, socket } = await open();
          const effects: unknown[] = [];
          void consume(socket.receiver('told'), (data) => effects.push(data));
          void consume(socket.procedure('asked'), (request) => {
            effects.push(request.data);
            request.end();
          });
          const frames: object[][] = [[]];
          for (const [index, { kind, isBatched }] of steps.entries()) {
            const packet = {
              transmit: { event: 'told', data: index },
              invoke: { event: 'asked', data: index, cid: 1000 + index },
              publish: { event: '#publish', data: { channel: 'c', data: index }, cid: 1000 + index },
              subscribe: { event: '#subscribe', data: { channel: 'c', data: index }, cid: 1000 + index },
            }[kind];
            if (isBatched) frames.at(-1)?.push(packet);
            else frames.push([packet]);
          }
          for (const frame of frames) client.send(frame.length === 1 ? frame[0] : frame);
          await client.fence();
          expect(decided).toEqual(steps.map((_, index) => index));
          const told = steps.flatMap(({ kind }, index) => (kind === 'transmit' ? [index] : []));
          const asked = steps.flatMap(({ kind }, index) => (kind === 'invoke' ? [index] : []));
          expect(effects.filter((index) => told.includes(index as number))).toEqual(told);
          expect(effects.filter((index) => asked.includes(index as number))).toEqual(asked);
          const subscribedAt = steps.findIndex(({ kind }) => kind === 'subscribe');
          const echoed = steps.flatMap(({ kind }, index) =>
            kind === 'publish' && subscribedAt >= 0 && index > subscribedAt ? [index] : [],
          );
          expect(numbersOf(client.received, '#publish')).toEqual(echoed);
          client.terminate();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a subscription whose middleware waits is in force for the publish sent behind it', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, async (action) => {
        if (action.type === action.SUBSCRIBE) await turns(10);
        action.allow();
      }),
    );
    const { client } = await open();
    client.send({ event: '#subscribe', data: { channel: 'c' }, cid: 2 });
    client.send({ event: '#publish', data: { channel: 'c', data: 'behind' }, cid: 3 });
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      { rid: 2 },
      { event: '#publish', data: { channel: 'c', data: 'behind' } },
      { rid: 3 },
    ]);
  });

  test('frames leave a sequential raw middleware in the order they came', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, (stream) =>
      consume(stream, async (action) => {
        await turns(String(action.data).length % 3);
        action.allow();
      }),
    );
    const { client, socket } = await open();
    const received = collected(socket.receiver('told'));
    const texts = Array.from({ length: 20 }, (_, n) => 'x'.repeat(n));
    for (const data of texts) client.transmit('told', data);
    await client.fence();
    expect(received).toEqual(texts);
  });

  test.each(['no', 'an inbound', 'an inboundRaw'])(
    'with %s middleware, a loop that begins while one packet is handled has the next one',
    async (line) => {
      const { open, server } = await startServer();
      const allowAll = (stream: AsyncIterable<{ allow: () => void }>): Promise<void> =>
        consume(stream, (action) => action.allow());
      if (line === 'an inbound') server.setMiddleware(server.MIDDLEWARE_INBOUND, allowAll);
      if (line === 'an inboundRaw') server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, allowAll);
      const { client, socket } = await open();
      const received: unknown[] = [];
      void consume(socket.receiver('begin'), async (name) => {
        await Promise.resolve();
        void consume(socket.receiver(String(name)), (data) => received.push(data));
      });
      client.send([
        { event: 'begin', data: 'a' },
        { event: 'a', data: 'of the same frame' },
      ]);
      client.transmit('begin', 'b');
      client.transmit('b', 'of the next frame');
      await client.fence();
      expect(received).toEqual(['of the same frame', 'of the next frame']);
    },
  );

  test('of many clients each keep their own order at a subscriber', async () => {
    const { open } = await startServer();
    const { client: subscriber } = await open();
    await subscriber.call('#subscribe', { channel: 'c' });
    const publishers = await Promise.all([open(), open(), open()]);
    for (let n = 0; n < 40; n += 1) {
      for (const [who, { client }] of publishers.entries())
        client.transmit('#publish', { channel: 'c', data: [who, n] });
    }
    for (const { client } of publishers) await client.fence();
    await subscriber.fence();
    const seen = numbersOf(subscriber.received, '#publish') as [number, number][];
    for (const who of publishers.keys()) {
      expect(seen.filter(([from]) => from === who).map(([, n]) => n)).toEqual(
        Array.from({ length: 40 }, (_, n) => n),
      );
    }
  });
});

describe('from server to client', () => {
  test('transmits, calls, publications and kick-outs keep their order, however long PUBLISH_OUT waits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('transmit', 'invoke', 'publish', 'deauthenticate'), {
          minLength: 1,
          maxLength: 25,
        }),
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        async (kinds, delay, hasMiddleware) => {
          await using started = await startServer();
          const { server, open } = started;
          if (hasMiddleware) {
            server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
              consume(stream, async (action) => {
                await turns(delay);
                action.allow();
              }),
            );
          }
          const { client, socket } = await open();
          await client.call('#subscribe', { channel: 'c' });
          for (const [index, kind] of kinds.entries()) {
            if (kind === 'transmit') void socket.transmit('told', index);
            if (kind === 'invoke') void socket.invoke('asked', index).catch(() => {});
            if (kind === 'publish') void server.exchange.transmitPublish('c', index);
            if (kind === 'deauthenticate') void socket.deauthenticate();
          }
          void socket.transmit('last');
          await client.next((packet) => packet.event === 'last');
          expect(client.received.slice(2, -1).map((packet) => packet.event)).toEqual(
            kinds.map(
              (kind) =>
                ({
                  transmit: 'told',
                  invoke: 'asked',
                  publish: '#publish',
                  deauthenticate: '#removeAuthToken',
                })[kind],
            ),
          );
          client.terminate();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a reply does not wait behind a publication whose middleware waits', async () => {
    const { open, server } = await startServer();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, async (action) => {
        await gate.promise;
        action.allow();
      }),
    );
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), (request) => {
      request.end('quick');
    });
    await client.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 1);
    void socket.transmit('told', 2);
    expect(await client.call('asked')).toMatchObject({ data: 'quick' });
    expect(client.received).toHaveLength(3);
    gate.resolve();
    expect(await client.next()).toMatchObject({ event: '#publish' });
    expect(await client.next()).toEqual({ event: 'told', data: 2 });
  });

  test('replies keep the order of their `end()` calls', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), async (request) => {
      request.end();
    });
    client.send(Array.from({ length: 30 }, (_, n) => ({ event: 'asked', cid: 100 + n })));
    await client.next((packet) => packet.rid === 129);
    expect(client.received.slice(1).map((packet) => packet.rid)).toEqual(
      Array.from({ length: 30 }, (_, n) => 100 + n),
    );
  });

  test('a transmit and a reply of the same turn both arrive', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), (request) => {
      void socket.transmit('told');
      request.end('x');
    });
    client.send({ event: 'asked', cid: 2 });
    await client.next((packet) => packet.event === 'told');
    await client.next((packet) => packet.rid === 2);
  });

  test('nothing of a channel follows the acknowledgement of its unsubscription', async () => {
    const { open, server } = await startServer();
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    const publishing = new AbortController();
    const publishers = (async () => {
      for (let n = 0; !publishing.signal.aborted; n += 1) {
        await server.exchange.invokePublish('c', n);
        if (n % 10 === 0) await turn();
      }
    })();
    await client.next((packet) => packet.event === '#publish');
    const { rid } = await client.call('#unsubscribe', 'c');
    await turns(5);
    publishing.abort();
    await publishers;
    await client.fence();
    const acknowledgedAt = client.received.findIndex((packet) => packet.rid === rid);
    expect(numbersOf(client.received.slice(acknowledgedAt), '#publish')).toEqual([]);
  });

  test('nothing of a channel follows its kick-out', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    void server.exchange.invokePublish('c', 'before');
    void socket.kickOut('c');
    await turn();
    void server.exchange.invokePublish('c', 'after');
    await client.fence();
    expect(client.received.slice(2, 4)).toEqual([
      { event: '#publish', data: { channel: 'c', data: 'before' } },
      { event: '#kickOut', data: { channel: 'c' } },
    ]);
    expect(numbersOf(client.received, '#publish')).toEqual(['before']);
  });
});

describe('what was sent before `disconnect()`', () => {
  test('a reply arrives', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    void consume(socket.procedure('asked'), (request) => {
      request.end('bye');
      void socket.disconnect(4123, 'done');
    });
    client.send({ event: 'asked', cid: 2 });
    expect(await client.ended()).toEqual({ code: 4123, reason: 'done' });
    expect(client.received.slice(1)).toEqual([{ rid: 2, data: 'bye' }]);
  });

  ours('transmits and publications arrive, in order', async () => {
    const { open, server } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    for (let n = 0; n < 5; n += 1) {
      void socket.transmit('told', n);
      void server.exchange.transmitPublish('c', n);
    }
    void socket.disconnect(4123, 'done');
    expect(await client.ended()).toEqual({ code: 4123, reason: 'done' });
    expect(client.received.slice(2).map((packet) => packet.event)).toEqual(
      Array.from({ length: 5 }, () => ['told', '#publish']).flat(),
    );
  });

  ours('a kick-out arrives', async () => {
    const { open } = await startServer();
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    void socket.kickOut('c', 'bye');
    void socket.disconnect();
    await client.ended();
    expect(client.received.at(-1)).toEqual({ event: '#kickOut', data: { channel: 'c', message: 'bye' } });
  });

  test('the `disconnect` event does not wait for what was received before', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) => consume(stream, () => new Promise(() => {})));
    const { client, socket } = await open();
    const gone = nextValue(socket.listener('disconnect'));
    for (let n = 0; n < 10; n += 1) client.transmit('told', n);
    client.close(4001, 'bye');
    expect(await gone).toEqual({ code: 4001, reason: 'bye' });
  });
});
