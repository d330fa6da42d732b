/** What a contract makes of the types of the client. Compiled with the tests, never run. */
import { type AGChannel, AGClientSocket, type AuthToken, create } from '@socketcluster-ts/client';
import { defineContract, type } from '@socketcluster-ts/core';
import { z } from 'zod';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Equal<A, B> = IsAny<A> extends true ? IsAny<B> : IsAny<B> extends true ? false : Mutual<A, B>;

/** Compiles only when both types are the same; `any` is the same as nothing but itself. */
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : [never]): void {}

const contract = defineContract({
  procedures: {
    add: { argument: type<[number, number]>(), result: type<number>() },
    now: { result: z.number() },
  },
  events: { typing: z.object({ room: z.string() }), poke: type<undefined>() },
  channels: {
    news: type<string>(),
    'room/:id': z.object({ text: z.string() }),
    'vip/:id': { message: type<number>(), subscribe: type<{ key: string }>() },
  },
  token: type<{ user: string }>(),
});
type C = typeof contract;

const client = create({ contract });

export async function typedByTheContract(id: string): Promise<void> {
  same<typeof client, AGClientSocket<C>>();
  same<ReturnType<typeof create<C>>, AGClientSocket<C>>();
  const sum = await client.invoke('add', [1, 2], { timeout: 5, signal: new AbortController().signal });
  same<typeof sum, number>();
  same<Awaited<ReturnType<typeof client.invoke<'now'>>>, number>();
  await client.transmit('typing', { room: 'a' });
  await client.transmit('poke');
  for await (const message of client.subscribe('room/1', { waitForAuth: true }))
    same<typeof message, { text: string }>();
  for await (const news of client.channel('news')) same<typeof news, string>();
  same<ReturnType<typeof client.subscribe<'vip/1'>>, AGChannel<number, number>>();
  client.subscribe('vip/1', { data: { key: 'x' } });
  await client.channel('room/:id', { id }).invokePublish({ text: 'hi' });
  await client.invokePublish(contract.channel('room/:id', { id }), { text: 'hi' });
  for await (const request of client.procedure('add')) request.end(request.data[0]);
  await client.receiver('typing').each(({ room }) => room.length);
  same<NonNullable<typeof client.authToken>['user'], string>();
  const { authToken } = await client.listener('authenticate').once();
  same<NonNullable<typeof authToken>['user'], string>();
}

export async function mistakes(name: string): Promise<void> {
  // @ts-expect-error -- no such procedure
  await client.invoke('ad', [1, 2]);
  // @ts-expect-error -- two numbers
  await client.invoke('add', [1, '2']);
  // @ts-expect-error -- no such event
  await client.transmit('tiping', { room: 'a' });
  // @ts-expect-error -- another payload
  await client.transmit('typing', { rom: 'a' });
  // @ts-expect-error -- no such channel
  client.subscribe('rooms/1');
  // @ts-expect-error -- any text is too much
  client.subscribe(name);
  // @ts-expect-error -- another key
  client.subscribe('vip/1', { data: { kee: 'x' } });
  // @ts-expect-error -- another parameter
  client.channel('room/:id', { name });
  // @ts-expect-error -- another message
  await client.transmitPublish('room/1', 'hi');
  // @ts-expect-error -- no such claim
  void client.authToken?.usr;
}

export async function withoutContract(untyped: AGClientSocket): Promise<void> {
  same<ReturnType<typeof create>, AGClientSocket>();
  const generic = <T>(name: string): AGChannel<T> => untyped.subscribe<T>(name, { priority: 1 });
  generic<string>('a') satisfies AGChannel<string>;
  same<Awaited<ReturnType<typeof untyped.invoke>>, unknown>();
  const { invoke } = untyped;
  untyped.invoke = async (event, data, options) => invoke.call(untyped, event, data, options);
  same<typeof untyped.authToken, AuthToken | null>();
  for await (const request of untyped.procedure<string>('greet')) request.end(request.data);
  const takesAny = (any: AGClientSocket): void => void any;
  takesAny(client);
  void new AGClientSocket({ hostname: 'localhost' });
}
