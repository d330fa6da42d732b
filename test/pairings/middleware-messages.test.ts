import {
  answer,
  collected,
  deferred,
  nextValue,
  onConnection,
  type StartedServer,
  socketOf,
  startServer,
  take,
  until,
} from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { connectClient } from './client.js';
import { leaveOutWith } from './left-out.js';

/** What these tests read of any action. */
interface AnyAction {
  readonly type: string;
  readonly data?: unknown;
  readonly channel?: string;
  readonly receiver?: string;
  readonly procedure?: string;
  readonly socket: { readonly id: string };
  allow(packet?: { data?: unknown; options?: { useCache?: boolean } }): void;
  block(error?: unknown): void;
}

type Line = 'inboundRaw' | 'inbound' | 'outbound';

function use(started: StartedServer, line: Line, decide: (action: AnyAction) => unknown): void {
  started.server.setMiddleware(line, async (stream: AsyncIterable<unknown>) => {
    for await (const action of stream) await decide(action as AnyAction);
  });
}

function failure(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

describe('the raw inbound line', () => {
  test('it sees every frame as it came', async () => {
    const started = await startServer();
    const frames: unknown[] = [];
    use(started, 'inboundRaw', (action) => {
      frames.push(action.data);
      action.allow();
    });
    const client = await connectClient(started);
    await client.invokePublish('room', 'hello');
    client.send('{"is": "no packet"}');
    await client.invokePublish('room', 'fence');

    expect(frames.map((frame) => JSON.parse(frame as string) as unknown)).toMatchObject([
      { event: '#handshake', data: { authToken: null }, cid: 1 },
      { event: '#publish', data: { channel: 'room', data: 'hello' }, cid: 2 },
      { is: 'no packet' },
      { event: '#publish', data: { channel: 'room', data: 'fence' }, cid: 3 },
    ]);
    expect(frames[2]).toBe('{"is": "no packet"}');
  });

  test('a blocked frame is dropped and the next one gets through', async () => {
    const started = await startServer();
    use(started, 'inboundRaw', (action) => {
      if (String(action.data).includes('poison')) action.block(failure('PoisonError', 'no'));
      else action.allow();
    });
    const client = await connectClient(started);
    const received = nextValue((await socketOf(started, client)).receiver('drink'));
    void client.transmit('drink', 'poison');
    void client.transmit('drink', 'water');

    expect(await received).toBe('water');
    expect(await started.warning()).toMatchObject({ name: 'PoisonError' });
  });

  test('a replaced frame is what is processed', async () => {
    const started = await startServer();
    use(started, 'inboundRaw', (action) => {
      action.allow({ data: String(action.data).replaceAll('colour', 'color') });
    });
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);

    expect(await client.invoke('echo', 'my favourite colour')).toBe('my favourite color');
  });
});

describe('the inbound line', () => {
  test('it tells transmits, calls, subscriptions and publishes apart', async () => {
    const started = await startServer();
    const seen: unknown[] = [];
    use(started, 'inbound', (action) => {
      const { type, data, channel, receiver, procedure } = action;
      seen.push({ type, data, channel, receiver, procedure });
      action.allow();
    });
    onConnection(started, (socket) => answer(socket, 'call', () => 'ok'));
    const client = await connectClient(started);
    void client.transmit('tell', 1);
    await client.invoke('call', 2);
    await nextValue(client.subscribe('room', { data: 3 }).listener('subscribe'));
    await client.invokePublish('room', 4);

    expect(seen).toEqual([
      { type: 'transmit', data: 1, receiver: 'tell' },
      { type: 'invoke', data: 2, procedure: 'call' },
      { type: 'subscribe', data: 3, channel: 'room' },
      { type: 'publishIn', data: 4, channel: 'room' },
    ]);
  });

  test('a blocked call, subscription or publish is answered with the error', async () => {
    const started = await startServer();
    use(started, 'inbound', (action) => {
      action.block(failure('ForbiddenError', `No ${action.type}`, { hint: 'ask' }));
    });
    const client = await connectClient(started);
    const failed = nextValue(client.listener('subscribeFail'));
    client.subscribe('room');

    expect(await failed).toMatchObject({
      channel: 'room',
      error: { name: 'ForbiddenError', message: 'No subscribe', hint: 'ask' },
    });
    await expect(client.invoke('call')).rejects.toMatchObject({ message: 'No invoke', hint: 'ask' });
    await expect(client.invokePublish('room', 1)).rejects.toMatchObject({ message: 'No publishIn' });
    expect((await socketOf(started, client)).subscriptions()).toEqual([]);
    expect(client.subscriptions(true)).toEqual([]);
  });

  test('a blocked transmit and a blocked `transmitPublish()` are dropped with a warning', async () => {
    const started = await startServer();
    use(started, 'inbound', (action) => {
      if (action.data === 'bad') action.block(failure('ForbiddenError', action.type));
      else action.allow();
    });
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const told = nextValue((await socketOf(started, client)).receiver('tell'));
    const published = nextValue(channel);
    for (const data of ['bad', 'good']) {
      void client.transmit('tell', data);
      void client.transmitPublish('room', data);
    }

    expect(await told).toBe('good');
    expect(await published).toBe('good');
    const messages = started.warnings.map((warning) => (warning as Error).message);
    expect(messages).toEqual(['transmit', 'publishIn']);
  });

  test('replaced data is what receivers, procedures and subscribers get', async () => {
    const started = await startServer();
    use(started, 'inbound', (action) => {
      action.allow({ data: `${action.type}:${String(action.data)}` });
    });
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    const socket = await socketOf(started, client);
    const told = nextValue(socket.receiver('tell'));
    const subscribed = nextValue(socket.listener('subscribe'));
    const channel = client.subscribe('room', { data: 'a' });
    const published = nextValue(channel);
    void client.transmit('tell', 'b');

    expect(await client.invoke('echo', 'c')).toBe('invoke:c');
    await client.invokePublish('room', 'd');
    expect(await subscribed).toMatchObject({ subscriptionOptions: { data: 'subscribe:a' } });
    expect(await told).toBe('transmit:b');
    expect(await published).toBe('publishIn:d');
  });

  test.each([
    ['without an error', () => undefined],
    ['with a silent error', () => failure('SecretError', 'internal', { silent: true })],
    ['with a string', () => 'go away'],
  ])('a call blocked %s tells the client no more than it should', async (what, error) => {
    const started = await startServer();
    use(started, 'inbound', (action) => {
      action.block(error());
    });
    const client = await connectClient(started);
    const outcome = await client.invoke('call').catch((reason: unknown) => reason);

    if (what === 'with a string') expect(outcome).toBe('go away');
    else {
      expect(outcome).toMatchObject({
        name: 'SilentMiddlewareBlockedError',
        message: 'The invoke AGAction was blocked by inbound middleware',
        type: 'inbound',
      });
    }
  });

  test('a slow decision holds up its own client only, and keeps the order', async () => {
    const started = await startServer();
    const gate = deferred();
    use(started, 'inbound', async (action) => {
      if (action.data === 'wait') await gate.promise;
      action.allow();
    });
    const [slow, quick] = await Promise.all([connectClient(started), connectClient(started)]);
    const atSlow = take((await socketOf(started, slow)).receiver('tell'), 2);
    const atQuick = nextValue((await socketOf(started, quick)).receiver('tell'));
    void slow.transmit('tell', 'wait');
    void slow.transmit('tell', 'after');
    void quick.transmit('tell', 'free');

    expect(await atQuick).toBe('free');
    gate.resolve();
    expect(await atSlow).toEqual(['wait', 'after']);
  });

  test('a publish behind a slow subscription of the same client is received', async () => {
    const started = await startServer();
    use(started, 'inbound', async (action) => {
      if (action.type === 'subscribe') await new Promise((resolve) => setImmediate(resolve));
      action.allow();
    });
    const client = await connectClient(started);
    const message = nextValue(client.subscribe('room'));
    await client.transmitPublish('room', 'right behind');

    expect(await message).toBe('right behind');
  });

  test('a removed middleware decides no more', async () => {
    const started = await startServer();
    use(started, 'inbound', (action) => {
      action.block();
    });
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    await expect(client.invoke('echo', 1)).rejects.toMatchObject({ name: 'SilentMiddlewareBlockedError' });
    started.server.removeMiddleware('inbound');

    expect(await client.invoke('echo', 2)).toBe(2);
  });

  test('a middleware that is set later decides for clients that are connected already', async () => {
    leaveOutWith('the published server', 'asks it for new clients only, and holds up the old ones');
    const started = await startServer();
    onConnection(started, (socket) => answer(socket, 'echo', (data) => data));
    const client = await connectClient(started);
    expect(await client.invoke('echo', 1)).toBe(1);
    use(started, 'inbound', (action) => {
      action.allow({ data: 'replaced' });
    });

    expect(await client.invoke('echo', 2)).toBe('replaced');
  });
});

describe('the outbound line', () => {
  test('it decides for each subscriber: as it is, replaced or blocked', async () => {
    const started = await startServer();
    const treatment = new Map<string, string>();
    use(started, 'outbound', (action) => {
      const how = treatment.get(action.socket.id);
      if (how === 'blocked' && action.data === 'secret') action.block(failure('MutedError', 'muted'));
      else if (how === 'replaced') action.allow({ data: `${String(action.data)}!` });
      else action.allow();
    });
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(started)));
    const treatments = ['as it is', 'replaced', 'blocked'];
    for (const [index, client] of clients.entries()) treatment.set(client.id ?? '', treatments[index] ?? '');
    const channels = clients.map((client) => client.subscribe('room'));
    await Promise.all(channels.map((channel) => nextValue(channel.listener('subscribe'))));
    const received = channels.map((channel) => collected(channel));
    await started.server.exchange.invokePublish('room', 'secret');
    await started.server.exchange.invokePublish('room', 'public');
    await until(() => received.every((messages) => String(messages.at(-1)).startsWith('public')));

    expect(received).toEqual([['secret', 'public'], ['secret!', 'public!'], ['public']]);
    expect(await started.warning()).toMatchObject({ name: 'MutedError' });
  });

  test('`useCache` sends the original', async () => {
    const started = await startServer();
    use(started, 'outbound', (action) => {
      action.allow({ options: { useCache: true } });
    });
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const message = nextValue(channel);
    await client.invokePublish('room', { text: 'as published' });

    expect(await message).toEqual({ text: 'as published' });
  });

  test('what is sent after a publish waits for its decision', async () => {
    const started = await startServer();
    use(started, 'outbound', async (action) => {
      await new Promise((resolve) => setImmediate(resolve));
      action.allow();
    });
    const client = await connectClient(started);
    const channel = client.subscribe('room');
    await nextValue(channel.listener('subscribe'));
    const socket = await socketOf(started, client);
    const frames = take(client.listener('message'), 3);
    await started.server.exchange.transmitPublish('room', 1);
    void socket.transmit('tell', 2);
    await started.server.exchange.transmitPublish('room', 3);

    const order = (await frames).map(
      (frame) => (JSON.parse(String(frame['message'])) as { event: string }).event,
    );
    expect(order).toEqual(['#publish', 'tell', '#publish']);
  });
});
