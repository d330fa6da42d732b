import { consume, EventLog, nextValue, startServer } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';

/** An error as applications block with. */
function nope(fields: object = {}): Error {
  return Object.assign(new Error('nope'), { name: 'NopeError' }, fields);
}

const silentRefusal = (action: string, stream: string): object => ({
  name: 'SilentMiddlewareBlockedError',
  type: stream,
  message: `The ${action} AGAction was blocked by ${stream} middleware`,
});

describe('MIDDLEWARE_INBOUND', () => {
  test('sees each kind of action with its fields', async () => {
    const { open, server, sign } = await startServer();
    const seen: Record<string, unknown>[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      expect(stream.type).toBe('inbound');
      for await (const action of stream) {
        const { type, socket, data, receiver, procedure, channel, signedAuthToken, authToken } =
          action as unknown as Record<string, unknown>;
        seen.push({ type, socket, data, receiver, procedure, channel, signedAuthToken, authToken });
        action.allow();
      }
    });
    const signed = await sign({ user: 'ann' });
    const { client, socket } = await open({ authToken: signed });
    client.send({ event: 'told', data: 1 });
    client.send({ event: 'asked', data: 2, cid: 90 });
    await client.call('#subscribe', { channel: 'c', data: 3 });
    await client.call('#publish', { channel: 'c', data: 4 });
    await client.call('#authenticate', signed);
    await client.call('#unsubscribe', 'c');
    client.send({ event: '#removeAuthToken' });
    await client.fence();
    const authenticate = { type: 'authenticate', signedAuthToken: signed, authToken: { user: 'ann' } };
    expect(seen).toMatchObject([
      authenticate,
      { type: 'transmit', receiver: 'told', data: 1 },
      { type: 'invoke', procedure: 'asked', data: 2 },
      { type: 'subscribe', channel: 'c', data: 3 },
      { type: 'publishIn', channel: 'c', data: 4 },
      authenticate,
      { type: 'publishIn' },
      { type: 'publishIn' },
    ]);
    expect(seen.every((action) => action['socket'] === socket)).toBe(true);
  });

  test('may replace the data of every action that has any, null included', async () => {
    const { open, server } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        action.allow({ data: action.type === action.INVOKE ? null : 'replaced' });
      }),
    );
    const { client, socket } = await open();
    const received = nextValue(socket.receiver('told'));
    const called = nextValue(socket.procedure('asked'));
    const subscribed = nextValue(socket.listener('subscribe'));
    const published = nextValue(server.brokerEngine.listener('publish'));
    client.send({ event: 'told', data: 1 });
    client.send({ event: 'asked', data: 2, cid: 90 });
    await client.call('#subscribe', { channel: 'c', data: 3 });
    client.send({ event: '#publish', data: { channel: 'c', data: 4 } });
    expect(await received).toBe('replaced');
    expect((await called).data).toBeNull();
    expect(await subscribed).toEqual({ channel: 'c', subscriptionOptions: { data: 'replaced' } });
    expect(await client.next()).toEqual({ event: '#publish', data: { channel: 'c', data: 'replaced' } });
    expect(await published).toEqual({ channel: 'c', data: 'replaced' });
  });

  test.for([[undefined], [5], ['text'], [{}], [{ data: undefined }]])(
    'allowing with %j keeps the data',
    async ([packet]) => {
      const { open, server } = await startServer();
      server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
        consume(stream, (action) => {
          action.allow(packet as object);
        }),
      );
      const { client, socket } = await open();
      const received = nextValue(socket.receiver('told'));
      client.send({ event: 'told', data: 'original' });
      expect(await received).toBe('original');
    },
  );

  const calls = [
    ['invoke', 'asked', 1],
    ['subscribe', '#subscribe', { channel: 'c' }],
    ['publishIn', '#publish', { channel: 'c', data: 1 }],
  ] as const;

  test.for(calls)('blocking %s with an error answers with it and emits it', async ([, event, data]) => {
    const { open, server, warning } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        action.block(nope({ detail: 7 }));
      }),
    );
    const { client, socket } = await open();
    const raised = nextValue(socket.listener('error'));
    expect(await client.call(event, data)).toEqual({
      rid: 2,
      error: { name: 'NopeError', message: 'nope', detail: 7 },
    });
    expect(await raised).toMatchObject({ error: { name: 'NopeError', detail: 7 } });
    expect(await warning()).toMatchObject({ name: 'NopeError' });
    expect(socket.subscriptions()).toEqual([]);
  });

  test.for(calls)('blocking %s without an error answers with a silent one', async ([type, event, data]) => {
    const { open, server, warning } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        action.block();
      }),
    );
    const { client } = await open();
    expect(await client.call(event, data)).toEqual({ rid: 2, error: silentRefusal(type, 'inbound') });
    expect(await warning()).toMatchObject(silentRefusal(type, 'inbound'));
  });

  test.for(calls)(
    'blocking %s with a silent error hides it from the client only',
    async ([type, event, data]) => {
      const { open, server, warning } = await startServer();
      server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
        consume(stream, (action) => {
          action.block(nope({ silent: true }));
        }),
      );
      const { client } = await open();
      expect(await client.call(event, data)).toEqual({ rid: 2, error: silentRefusal(type, 'inbound') });
      expect(await warning()).toMatchObject({ name: 'NopeError', silent: true });
    },
  );

  test('blocking with a string answers with the string', async () => {
    const { open, server, log } = await startServer();
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        action.block('no entry');
      }),
    );
    const { client } = await open();
    expect(await client.call('asked')).toEqual({ rid: 2, error: 'no entry' });
    expect(await log.first('warning')).toEqual({ warning: 'no entry' });
  });

  test('blocking what has no cid drops it and sends nothing', async () => {
    const { open, server } = await startServer();
    const verdicts: boolean[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        const isFence = action.type === action.PUBLISH_IN && action.channel.startsWith('fence');
        verdicts.push(isFence);
        if (isFence) action.allow();
        else action.block(nope());
      }),
    );
    const { client, socket } = await open();
    const log = new EventLog().record(socket, ['error']);
    let received = 0;
    void consume(socket.receiver('told'), () => {
      received += 1;
    });
    client.transmit('told', 1);
    client.transmit('#publish', { channel: 'c', data: 1 });
    client.transmit('#subscribe', { channel: 'c' });
    await client.fence();
    expect(verdicts).toEqual([false, false, false, true, true]);
    expect(log.names).toEqual(['error', 'error', 'error']);
    expect(received).toBe(0);
    expect(client.received).toHaveLength(3);
  });

  test('with middlewareEmitFailures=false a block is answered and not emitted', async () => {
    const { open, server, warnings } = await startServer({ middlewareEmitFailures: false });
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        if (action.type === action.INVOKE) action.block(nope());
        else action.allow();
      }),
    );
    const { client } = await open();
    expect(await client.call('asked')).toMatchObject({ error: { name: 'NopeError' } });
    await client.fence();
    expect(warnings).toEqual([]);
  });

  test('deciding twice throws, whichever way', async () => {
    const { open, server } = await startServer();
    const thrown: unknown[] = [];
    const attempt = (decide: () => void): void => {
      try {
        decide();
      } catch (error) {
        thrown.push(error);
      }
    };
    const outcomes: unknown[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) =>
      consume(stream, (action) => {
        const { allow, block } = action;
        outcomes.push(action.outcome);
        if (action.type === action.TRANSMIT) allow();
        else block(nope());
        outcomes.push(action.outcome);
        attempt(() => allow());
        attempt(() => block());
      }),
    );
    const { client } = await open();
    client.transmit('told');
    await client.call('asked');
    expect(outcomes).toEqual([null, 'allowed', null, 'blocked']);
    expect(thrown).toMatchObject(
      [
        'AGAction transmit has already been allowed; cannot allow',
        'AGAction transmit has already been allowed; cannot block',
        'AGAction invoke has already been blocked; cannot allow',
        'AGAction invoke has already been blocked; cannot block',
      ].map((message) => ({ name: 'InvalidActionError', message })),
    );
  });

  test('ends its loop when the socket closes', async () => {
    const { open, server } = await startServer();
    const loops: Promise<void>[] = [];
    server.setMiddleware(server.MIDDLEWARE_INBOUND, (stream) => {
      const loop = consume(stream, (action) => action.allow());
      loops.push(loop);
      return loop;
    });
    const { client } = await open();
    client.close(1000);
    expect(loops).toHaveLength(1);
    await loops[0];
  });
});
