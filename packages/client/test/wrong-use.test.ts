/** What a developer gives by mistake is an error that names it and says what is allowed, and does no harm. */

import { afterTest, nextValue, startServer } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AGClientSocket, type ClientOptions, create, InvalidArgumentsError } from '../src/index.js';

function failureOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('Nothing was thrown');
}

function createIdle(options: object): AGClientSocket {
  const client = create({ ...options, autoConnect: false });
  afterTest(() => client.close());
  return client;
}

describe('a wrong option', () => {
  test.each([
    ['hostname', 7],
    ['host', 'no port'],
    ['port', 'eighty'],
    ['port', -1],
    ['path', {}],
    ['secure', 'yes'],
    ['query', 7],
    ['autoReconnect', 'no'],
    ['autoReconnectOptions', 5],
    ['connectTimeout', '20s'],
    ['connectTimeout', -1],
    ['ackTimeout', Number.NaN],
    ['ackTimeout', 2 ** 31],
    ['subscribeTimeout', true],
    ['maxQueuedMessages', -5],
    ['authEngine', {}],
    ['authEngine', { loadToken: () => null }],
    ['codecEngine', { encode: 'JSON' }],
    ['getToken', 'a.b.c'],
    ['binaryType', 7],
    ['protocolVersion', 3],
    ['batchInterval', 'often'],
    ['channelPrefix', 3],
    ['wsOptions', 'none'],
    ['compat', 'v19'],
  ])('`%s: %j` throws an InvalidArgumentsError that names it', (option, value) => {
    const error = failureOf(() => createIdle({ [option]: value }));

    expect(error).toBeInstanceOf(InvalidArgumentsError);
    expect(error.message).toContain(option);
    expect(error.message).toMatch(/must be .+ - Got .+/);
  });

  test('of whatever kind, throws nothing else, and a client that was made can be closed', async () => {
    const names = Object.keys(createIdle({}).options).filter((name) => name !== 'autoConnect');
    expect(names.length).toBeGreaterThan(25);
    const value = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true }),
      fc.constantFrom(0, 1, 'a', true, null),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), value, async (option, given) => {
        let client: AGClientSocket;
        try {
          client = create({ [option]: given, autoConnect: false });
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentsError);
          expect((error as Error).message).toContain(option);
          return;
        }
        await client.close();
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  test('that is no object at all is named; none at all is fine', async () => {
    await create(null as unknown as ClientOptions).close();
    for (const options of [5, 'localhost', true, [] as unknown]) {
      expect(failureOf(() => create(options as ClientOptions))).toBeInstanceOf(InvalidArgumentsError);
    }
  });
});

describe('a wrong argument', () => {
  test.each<[string, (client: AGClientSocket) => unknown]>([
    ['subscribe(5)', (client) => client.subscribe(5 as unknown as string)],
    ['subscribe(undefined)', (client) => client.subscribe(undefined as unknown as string)],
    ['channel({})', (client) => client.channel({} as unknown as string)],
    ['disconnect("now")', (client) => client.disconnect('now' as unknown as number)],
    ['invoke(5)', (client) => client.invoke(5 as unknown as string)],
    [
      'invoke("a", 1, { timeout: "1s" })',
      (client) => client.invoke('a', 1, { timeout: '1s' as unknown as number }),
    ],
    ['invoke("a", 1, { timeout: -1 })', (client) => client.invoke('a', 1, { timeout: -1 })],
    ['invoke("a", 1, { signal: {} })', (client) => client.invoke('a', 1, { signal: {} as AbortSignal })],
    ['transmit(null)', (client) => client.transmit(null as unknown as string)],
    ['invokePublish(5)', (client) => client.invokePublish(5 as unknown as string, 1)],
  ])('`%s` is an InvalidArgumentsError, and the client goes on', async (_what, run) => {
    const started = await startServer();
    const client = create({ hostname: '127.0.0.1', port: started.port });
    afterTest(() => client.close());
    await nextValue(client.listener('connect'));
    const outcome = await (async () => run(client))().then(
      () => undefined,
      (error: unknown) => error,
    );

    expect(outcome).toBeInstanceOf(InvalidArgumentsError);
    expect((outcome as Error).message).toMatch(/ - Got /);
    await client.invokePublish('room', 'fine');
    expect(started.warnings).toEqual([]);
  });

  test('data that cannot be encoded rejects its call, and the next one is answered', async () => {
    const started = await startServer();
    const client = create({ hostname: '127.0.0.1', port: started.port });
    afterTest(() => client.close());
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    for (const data of [circle, 10n]) {
      await expect(client.invoke('echo', data)).rejects.toMatchObject({ delivery: 'not-sent' });
    }
    const failed = nextValue(client.listener('error'));
    void client.transmit('tell', circle);

    expect((await failed).error).toBeInstanceOf(Error);
    await client.invokePublish('room', 'fine');
    expect(client.state).toBe('open');
  });
});
