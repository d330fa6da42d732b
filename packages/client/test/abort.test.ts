import { until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { scriptedServer } from './scripted-server.js';

describe('a call with a signal', () => {
  test('that is aborted rejects with the reason as cause, and a server that knows is told', async () => {
    const server = await scriptedServer({ status: { ext: ['abort'] } });
    const client = server.client();
    const connection = await server.connection();
    const abort = new AbortController();
    const call = client.invoke('slow', 1, { signal: abort.signal });
    const { cid } = await connection.first('slow');
    abort.abort(new Error('changed my mind'));
    await expect(call).rejects.toMatchObject({
      name: 'AbortError',
      cause: { message: 'changed my mind' },
      delivery: 'unknown',
    });
    expect(await connection.first('#abort')).toEqual({ event: '#abort', data: { cid } });
  });

  test('that is aborted tells nothing to a server that does not know', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const connection = await server.connection();
    const abort = new AbortController();
    const call = client.invoke('slow', 1, { signal: abort.signal });
    await connection.first('slow');
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    void client.transmit('fence');
    await connection.first('fence');
    expect(connection.of('#abort')).toEqual([]);
  });

  test('that is aborted while it waits for a connection is never sent', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const abort = new AbortController();
    const call = client.invoke('a', 1, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError', delivery: 'not-sent' });
    const connection = await server.connection();
    void client.transmit('fence');
    await connection.first('fence');
    expect(connection.of('a')).toEqual([]);
  });

  test('that was aborted before rejects at once', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoConnect: false });
    const call = client.invoke('a', 1, { signal: AbortSignal.abort('no') });
    await expect(call).rejects.toMatchObject({ name: 'AbortError', cause: 'no', delivery: 'not-sent' });
    expect(client.state).toBe('closed');
  });

  test('that is answered leaves no listener on the signal', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const connection = await server.connection();
    const listeners: string[] = [];
    const signal = {
      aborted: false,
      addEventListener: () => listeners.push('added'),
      removeEventListener: () => listeners.pop(),
    } as unknown as AbortSignal;
    const call = client.invoke('a', 1, { signal });
    const { cid } = await connection.first('a');
    expect(listeners).toEqual(['added']);
    connection.send({ rid: cid, data: 2 });
    expect(await call).toBe(2);
    expect(listeners).toEqual([]);
  });

  test('a call that times out is given up at a server that knows, and its late answer is no fault', async () => {
    const server = await scriptedServer({ status: { ext: ['abort'] } });
    const client = server.client();
    const connection = await server.connection();
    const errors: unknown[] = [];
    void (async () => {
      for await (const { error } of client.listener('error')) errors.push(error);
    })();
    await expect(client.invoke('slow', 1, { timeout: 200 })).rejects.toMatchObject({ name: 'TimeoutError' });
    const { cid } = await connection.first('slow');
    expect((await connection.first('#abort')).data).toEqual({ cid });
    connection.send([{ rid: cid, data: 'late' }, { event: 'hi' }]);
    let heard = false;
    void client
      .receiver('hi')
      .once()
      .then(() => (heard = true));
    connection.send({ event: 'hi' });
    await until(() => heard);
    expect(errors).toEqual([]);
  });

  test('that is no AbortSignal is refused', async () => {
    const server = await scriptedServer();
    const client = server.client({ autoConnect: false });
    for (const signal of [{}, 7, null] as never[]) {
      await expect(client.invoke('a', 1, { signal })).rejects.toMatchObject({
        name: 'InvalidArgumentsError',
      });
    }
  });

  test.each([-1, Number.NaN, '5'])('the timeout %j is refused', async (timeout) => {
    const server = await scriptedServer();
    const client = server.client({ autoConnect: false });
    await expect(client.invoke('a', 1, { timeout: timeout as number })).rejects.toMatchObject({
      name: 'InvalidArgumentsError',
      message: expect.stringContaining(String(timeout)) as string,
    });
  });
});
