/** What a contract makes of the types of the hooks. Compiled with the tests, never run. */
import { type AGClientSocket, create } from '@socketcluster-ts/client';
import { useChannel, useProcedure, useSocket, useSocketState } from '@socketcluster-ts/client/react';
import { defineContract, type } from '@socketcluster-ts/core';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Equal<A, B> = IsAny<A> extends true ? IsAny<B> : IsAny<B> extends true ? false : Mutual<A, B>;

/** Compiles only when both types are the same; `any` is the same as nothing but itself. */
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : [never]): void {}

const contract = defineContract({
  procedures: {
    add: { argument: type<[number, number]>(), result: type<number>() },
    now: { result: type<number>() },
  },
  channels: {
    news: type<string>(),
    'vip/:id': { message: type<number>(), subscribe: type<{ key: string }>() },
  },
});

export function typedByTheContract(id: string): void {
  const socket = useSocket({ contract });
  same<typeof socket, AGClientSocket<typeof contract>>();
  same<ReturnType<typeof useSocket<typeof contract>>, AGClientSocket<typeof contract>>();
  const made = useSocket(() => create({ contract, autoConnect: false }));
  same<typeof made, AGClientSocket<typeof contract>>();
  same<ReturnType<typeof useSocketState>, 'connecting' | 'open' | 'closed'>();

  const news = useChannel(socket, 'news', { onMessage: (text) => same<typeof text, string>() });
  same<typeof news.message, string | undefined>();
  same<typeof news.error, unknown>();
  const vip = useChannel(socket, contract.channel('vip/:id', { id }), {
    data: { key: 'x' },
    waitForAuth: true,
  });
  same<typeof vip.message, number | undefined>();
  const perhaps = useChannel(socket, id === '' ? null : 'news');
  same<typeof perhaps.message, string | undefined>();

  const { call, result } = useProcedure(socket, 'add');
  same<typeof result, number | undefined>();
  const sum = call([1, 2], { timeout: 5 });
  same<typeof sum, Promise<number>>();
  void useProcedure(socket, 'now').call();
}

export function mistakes(): void {
  const socket = useSocket({ contract });
  // @ts-expect-error -- no such channel
  useChannel(socket, 'nws');
  // @ts-expect-error -- a message is a text
  useChannel(socket, 'news', { onMessage: (count: number) => count });
  // @ts-expect-error -- data is a key
  useChannel(socket, 'vip/1', { data: { kee: 'x' } });
  // @ts-expect-error -- no such option
  useChannel(socket, 'news', { onMesage: () => {} });
  // @ts-expect-error -- no such procedure
  useProcedure(socket, 'ad');
  // @ts-expect-error -- two numbers
  void useProcedure(socket, 'add').call([1, '2']);
  // @ts-expect-error -- an argument
  void useProcedure(socket, 'add').call();
  // @ts-expect-error -- the hook has a signal of its own
  void useProcedure(socket, 'add').call([1, 2], { signal: new AbortController().signal });
  // @ts-expect-error -- no such option
  useSocket({ hotsname: 'localhost' });
}

export function untyped(): void {
  const socket = useSocket();
  same<typeof socket, AGClientSocket>();
  const any = useChannel(socket, 'anything', { onMessage: (text: string) => text.length });
  same<typeof any.message, unknown>();
  const { call, result } = useProcedure(socket, 'anything');
  same<typeof result, unknown>();
  void call({ of: 'any shape' });
}
