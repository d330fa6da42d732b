import { consume, deferred, nextValue, ours, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

describe('MIDDLEWARE_OUTBOUND', () => {
  test('sees each publication once per subscriber and nothing else', async () => {
    const { open, server } = await startServer();
    const seen: string[] = [];
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      expect(stream.type).toBe('outbound');
      for await (const action of stream) {
        const { type, socket: target, channel, data } = action;
        seen.push(JSON.stringify([type, target.id, channel, data]));
        action.allow();
      }
    });
    const { client: ann } = await open();
    const { client: bob, socket } = await open();
    await ann.call('#subscribe', { channel: 'c' });
    await bob.call('#subscribe', { channel: 'c' });
    await socket.transmit('told', 1);
    await ann.call('#publish', { channel: 'c', data: { n: 1 } });
    await bob.next((packet) => packet.event === '#publish');
    const expected = [ann, bob].map((client) => JSON.stringify(['publishOut', client.id, 'c', { n: 1 }]));
    expect(new Set(seen)).toEqual(new Set(expected));
    expect(seen).toHaveLength(2);
  });

  test('may replace what one subscriber gets', async () => {
    const { open, server } = await startServer();
    const { client: ann, socket } = await open();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, (action) => {
        action.allow({ data: 'for ann' });
      }),
    );
    const { client: bob } = await open();
    expect(bob.id).not.toBe(socket.id);
    await bob.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 'original');
    expect(await bob.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'for ann' } });
    expect(ann.received).toHaveLength(1);
  });

  ours('replaces it for that subscriber alone, not for slower ones nor for the broker', async () => {
    const { open, server } = await startServer();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, async (action) => {
        if (action.socket.id === ann.client.id) {
          action.allow({ data: 'for ann' });
        } else {
          await gate.promise;
          action.allow();
        }
      }),
    );
    const ann = await open();
    const { client: bob } = await open();
    await ann.client.call('#subscribe', { channel: 'c' });
    await bob.call('#subscribe', { channel: 'c' });
    const published = nextValue(server.brokerEngine.listener('publish'));
    const exchanged = nextValue(server.exchange.subscribe('c'));
    await server.exchange.invokePublish('c', 'original');
    expect(await ann.client.next()).toMatchObject({ data: { data: 'for ann' } });
    gate.resolve();
    expect(await bob.next()).toMatchObject({ data: { data: 'original' } });
    expect(await published).toEqual({ channel: 'c', data: 'original' });
    expect(await exchanged).toBe('original');
  });

  test('may keep a publication from one subscriber', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.data === 'hidden') action.block();
        else action.allow();
      }),
    );
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 'hidden');
    await server.exchange.invokePublish('c', 'shown');
    expect(await client.next()).toMatchObject({ event: '#publish', data: { data: 'shown' } });
  });

  test('may ask for the shared original, which wins over its own replacement', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, (action) => {
        action.allow({ data: 'replaced', options: { useCache: action.data === 'cached' } });
      }),
    );
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 'cached');
    await server.exchange.invokePublish('c', 'own');
    expect(await client.next()).toMatchObject({ data: { data: 'cached' } });
    expect(await client.next()).toMatchObject({ data: { data: 'replaced' } });
  });

  test('emits what it blocked with', async () => {
    const { open, server, warning } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, (action) => {
        action.block(Object.assign(new Error('hidden'), { name: 'HiddenError' }));
      }),
    );
    const { client } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 1);
    expect(await warning()).toMatchObject({ name: 'HiddenError', message: 'hidden' });
  });

  test('that waits for one subscriber holds up no other', async () => {
    const { open, server } = await startServer();
    const gate = deferred();
    const slow = await openWithOutbound();
    async function openWithOutbound(): Promise<Awaited<ReturnType<typeof open>>> {
      server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
        consume(stream, async (action) => {
          if (action.socket.id === slow.client.id) await gate.promise;
          action.allow();
        }),
      );
      return open();
    }
    const { client: quick } = await open();
    await slow.client.call('#subscribe', { channel: 'c' });
    await quick.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 1);
    expect(await quick.next()).toMatchObject({ data: { data: 1 } });
    expect(slow.client.received).toHaveLength(2);
    gate.resolve();
    expect(await slow.client.next()).toMatchObject({ data: { data: 1 } });
  });

  ours('a message that cannot be sent holds up none of those behind it', async () => {
    const { errors, open, server, warning } = await startServer();
    const gate = deferred();
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, (stream) =>
      consume(stream, async (action) => {
        await gate.promise;
        action.allow();
      }),
    );
    const { client, socket } = await open();
    await client.call('#subscribe', { channel: 'c' });
    await server.exchange.invokePublish('c', 'held up');
    void socket.transmit('bad', 1, { useCache: true, stringifiedData: 5 as never });
    void socket.transmit('good', 2);
    const warned = warning(({ name }) => name === 'TypeError');
    gate.resolve();
    expect(await client.next((packet) => packet.event === '#publish')).toMatchObject({
      data: { data: 'held up' },
    });
    expect(await client.next()).toEqual({ event: 'good', data: 2 });
    expect((await warned).message).toContain('must encode to a string or bytes');
    expect(errors).toEqual([]);
  });
});
