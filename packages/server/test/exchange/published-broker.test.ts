import { defineContract } from '@socketcluster-ts/core';
import { collected, nextValue, startServer, until } from '@socketcluster-ts/testkit';
import PublishedBroker from 'ag-simple-broker';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

/** Every broker engine that was made for socketcluster-server has an exchange of its own, which knows nothing of ours. */
describe('a server with the published ag-simple-broker', () => {
  test('delivers what clients and the server publish to clients and the server, in order', async () => {
    const { server, open, warnings } = await startServer({ brokerEngine: new PublishedBroker() });
    const heard = collected(server.exchange.subscribe('c'));
    const [{ client }, { client: other }] = [await open(), await open()];
    await client.call('#subscribe', { channel: 'c' });
    await other.call('#subscribe', { channel: 'c' });
    await client.call('#publish', { channel: 'c', data: 1 });
    client.transmit('#publish', { channel: 'c', data: 2 });
    await client.call('#publish', { channel: 'c', data: { n: 3 } });
    await server.exchange.invokePublish('c', 4);
    for (const data of [1, 2, { n: 3 }, 4])
      expect(await other.next()).toEqual({ event: '#publish', data: { channel: 'c', data } });
    await until(() => heard.length === 4);
    expect(heard).toEqual([1, 2, { n: 3 }, 4]);
    expect(warnings).toEqual([]);
  });

  test('lets a middleware replace what one client gets', async () => {
    const { server, open } = await startServer({ brokerEngine: new PublishedBroker() });
    const [{ client, socket }, { client: other }] = [await open(), await open()];
    server.setMiddleware(server.MIDDLEWARE_OUTBOUND, async (stream) => {
      for await (const action of stream)
        action.allow(action.socket === socket ? { data: `for you: ${String(action.data)}` } : {});
    });
    await client.call('#subscribe', { channel: 'c' });
    await other.call('#subscribe', { channel: 'c' });
    await server.exchange.transmitPublish('c', 'x');
    expect(await client.next()).toMatchObject({ data: { data: 'for you: x' } });
    expect(await other.next()).toMatchObject({ data: { data: 'x' } });
  });

  test('forgets a client that leaves the channel or the server', async () => {
    const broker = new PublishedBroker();
    const { server, open } = await startServer({ brokerEngine: broker });
    const { client } = await open();
    await client.call('#subscribe', { channel: 'a' });
    await client.call('#subscribe', { channel: 'b' });
    await client.call('#unsubscribe', 'a');
    expect(broker.subscriptions()).toEqual(['b']);
    const closed = nextValue(server.listener('disconnection'));
    client.webSocket.close();
    await closed;
    await until(() => broker.subscriptions().length === 0);
  });

  test('tells what it cannot encode by a warning, and knows the channels of a contract', async () => {
    const contract = defineContract({ channels: { c: z.number() } });
    const started = await startServer({ brokerEngine: new PublishedBroker(), contract });
    const { server, open, warnings } = started;
    const { client } = await open();
    expect((await client.call('#publish', { channel: 'c', data: 'one' })).error).toMatchObject({
      name: 'InvalidDataError',
    });
    expect(await client.call('#publish', { channel: 'c', data: 1 })).not.toHaveProperty('error');
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await server.brokerEngine.invokePublish('c', circular);
    await until(() => warnings.some((warning) => /circular/.test(String(warning))));
  });
});
