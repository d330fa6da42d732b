/** What a contract makes of the types of the server. Compiled with the tests, never run. */
import { createServer } from 'node:http';
import {
  type AGChannel,
  type AGExchange,
  type AGRequest,
  AGServer,
  type AGServerSocket,
  type AuthToken,
  attach,
  defineContract,
  type Schema,
  type,
  type UserSockets,
} from '@socketcluster-ts/server';
import { z } from 'zod';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Equal<A, B> = IsAny<A> extends true ? IsAny<B> : IsAny<B> extends true ? false : Mutual<A, B>;

/** Compiles only when both types are the same; `any` is the same as nothing but itself. */
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : [never]): void {}

interface Message {
  text: string;
}

const contract = defineContract({
  procedures: {
    add: { argument: type<[number, number]>(), result: type<number>() },
    now: { result: type<number>() },
    find: { argument: type<string | undefined>(), result: type<Message | undefined>() },
    count: { argument: z.string().transform((text) => text.length), result: z.number() },
    ping: {},
  },
  events: { typing: type<{ room: string }>(), poke: type<undefined>() },
  channels: {
    news: z.string(),
    'room/:id': type<Message>(),
    'room/:id/typing': { message: type<boolean>(), subscribe: type<{ key: string }>() },
    ':country/:city/weather': z.object({ degrees: z.number() }),
    'room:old': type<1>(),
  },
  token: z.object({ user: z.string() }),
});
type C = typeof contract;

const server = attach(createServer(), { contract });

export function theContractIsFoundInTheOptions(): void {
  same<typeof server, AGServer<C>>();
  same<typeof server.exchange, AGExchange<C>>();
  same<(typeof server.clients)[string], AGServerSocket<C>>();
  const other = new AGServer({ httpServer: createServer(), contract });
  same<typeof other, AGServer<C>>();
  const typesOnly = attach<C>(createServer());
  same<typeof typesOnly, AGServer<C>>();
  // @ts-expect-error -- a contract is made by defineContract()
  attach(createServer(), { contract: { procedures: {} } });
}

export async function calls(socket: AGServerSocket<C>): Promise<void> {
  for await (const request of socket.procedure('add')) {
    same<typeof request.data, [number, number]>();
    request.socket satisfies AGServerSocket<C>;
    request.end(request.data[0] + request.data[1]);
    // @ts-expect-error -- the result is a number
    request.end('3');
    // @ts-expect-error -- the result is needed
    request.end();
  }
  for await (const request of socket.procedure('count')) same<typeof request.data, number>();
  for await (const request of socket.procedure('ping')) {
    same<typeof request.data, undefined>();
    request.end();
  }
  await socket
    .procedure('add')
    .each(async ({ data: [a, b] }) => a + b, { concurrency: 4, key: ({ data }) => data[0] });
  await socket.procedure('add').each(({ data: [a, b], end }) => end(a + b));
  await socket.procedure('ping').each(() => {});
  // @ts-expect-error -- the result is a number
  await socket.procedure('add').each(() => 'three');
  // @ts-expect-error -- there is no such procedure
  socket.procedure('ad');
  // @ts-expect-error -- the contract says what the data is
  socket.procedure<string>('add');
  // @ts-expect-error -- an event is no procedure
  socket.procedure('typing');
  same<Awaited<ReturnType<typeof socket.invoke<'add'>>>, number>();
  const sum = await socket.invoke('add', [1, 2], { ackTimeout: 5 });
  same<typeof sum, number>();
  const now = await socket.invoke('now');
  same<typeof now, number>();
  await socket.invoke('count', 'four');
  await socket.invoke('find');
  // @ts-expect-error -- the sender gives what the schema takes, not what it makes of it
  await socket.invoke('count', 4);
  // @ts-expect-error -- the argument is needed
  await socket.invoke('add');
  // @ts-expect-error -- two numbers
  await socket.invoke('add', [1, '2']);
}

export async function events(socket: AGServerSocket<C>): Promise<void> {
  for await (const data of socket.receiver('typing')) same<typeof data, { room: string }>();
  await socket.receiver('typing').each(({ room }) => room.length);
  await socket.transmit('typing', { room: 'a' }, { useCache: true });
  await socket.transmit('poke');
  // @ts-expect-error -- there is no such event
  socket.receiver('tiping');
  // @ts-expect-error -- the payload is needed
  await socket.transmit('typing');
  // @ts-expect-error -- another payload
  await socket.transmit('typing', { rom: 'a' });
  // @ts-expect-error -- a channel is no event
  await socket.transmit('news', 'x');
}

export async function channels(exchange: AGExchange<C>, id: string, name: string): Promise<void> {
  same<ReturnType<typeof exchange.channel<'room/1'>>, AGChannel<Message, Message>>();
  for await (const message of exchange.channel('room/42')) same<typeof message, Message>();
  for await (const message of exchange.channel(`room/${id}`)) same<typeof message, Message>();
  for await (const message of exchange.channel('room/:id', { id: 42 })) same<typeof message, Message>();
  for await (const typing of exchange.subscribe('room/42/typing')) same<typeof typing, boolean>();
  for await (const news of exchange.subscribe('news')) same<typeof news, string>();
  for await (const one of exchange.subscribe('room:old')) same<typeof one, 1>();
  for await (const { degrees } of exchange.subscribe('it/rome/weather')) same<typeof degrees, number>();
  for await (const message of exchange.subscribe(contract.channel('room/:id', { id })))
    same<typeof message, Message>();
  await exchange.transmitPublish('room/42', { text: 'hi' });
  await exchange.channel('room/:id', { id }).invokePublish({ text: 'hi' });
  // @ts-expect-error -- another message
  await exchange.invokePublish('room/42', 'hi');
  // @ts-expect-error -- another message
  await exchange.channel('room/:id', { id }).invokePublish({ txt: 'hi' });
  // @ts-expect-error -- no such channel
  exchange.channel('rooms/42');
  // @ts-expect-error -- any text is too much
  exchange.channel(name);
  // @ts-expect-error -- the parameters are missing
  exchange.channel('room/:id');
  // @ts-expect-error -- another parameter
  exchange.channel('room/:id', { name: 'x' });
  // @ts-expect-error -- one of two is missing
  contract.channel(':country/:city/weather', { city: 'rome' });
  // @ts-expect-error -- it has none
  contract.channel('news', { id: 1 });
  const parsed = contract.parse(name);
  if (parsed?.template === 'room/:id') same<typeof parsed.parameters, { readonly id: string }>();
}

export async function claims(socket: AGServerSocket<C>): Promise<void> {
  same<NonNullable<typeof socket.authToken>['user'], string>();
  same<NonNullable<typeof socket.authToken>['exp'], number | undefined>();
  await socket.setAuthToken({ user: 'ann', exp: 5 }, { expiresIn: '2h' });
  for await (const { authToken } of server.listener('authentication')) same<typeof authToken.user, string>();
  const { oldAuthToken } = await socket.listener('deauthenticate').once();
  same<NonNullable<typeof oldAuthToken>['user'], string>();
  // @ts-expect-error -- no such claim
  void socket.authToken?.usr;
  // @ts-expect-error -- a claim is missing
  await socket.setAuthToken({ name: 'ann' });
}

export function actions(): void {
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      same<typeof action.socket, AGServerSocket<C>>();
      if (action.type === action.INVOKE && action.procedure === 'add') {
        same<typeof action.data, [number, number] | undefined>();
      } else if (action.type === action.TRANSMIT) {
        same<typeof action.receiver, 'typing' | 'poke'>();
        if (action.receiver === 'typing') action.data?.room satisfies string | undefined;
        // @ts-expect-error -- no such event
        if (action.receiver === 'tiping') action.block();
      } else if (action.type === action.AUTHENTICATE) same<typeof action.authToken.user, string>();
      action.allow();
    }
  });
}

export function typedGoesWhereAnyIsTaken(request: AGRequest<AGServerSocket<C>, string, number>): void {
  const takesServers = (any: AGServer): void => void any;
  const takesSockets = (any: AGServerSocket): void => void any;
  const takesExchanges = (any: AGExchange): void => void any;
  takesServers(server);
  takesExchanges(server.exchange);
  takesSockets(request.socket);
}

export async function codeOfApplicationsWithoutContract(
  socket: AGServerSocket,
  untyped: AGServer,
): Promise<void> {
  const generic = async <T>(name: string): Promise<T | undefined> => {
    for await (const request of socket.procedure<T>(name)) return request.data satisfies T;
    return undefined;
  };
  await generic<string>('greet');
  const { invokePublish } = untyped.exchange;
  untyped.exchange.invokePublish = async (channel, data) => {
    channel satisfies string;
    await invokePublish.call(untyped.exchange, channel, data);
  };
  const transmit = socket.transmit.bind(socket);
  socket.transmit = async (event: string, data?: unknown) => transmit(event, data);
  same<typeof socket.authToken, AuthToken | null>();
  same<Parameters<typeof socket.procedure>, [name: string]>();
  const options: ConstructorParameters<typeof AGServer>[0] = {};
  const made = new AGServer(options);
  made satisfies AGServer;
  class Audited extends AGServer {
    override emitError(error: unknown): void {
      super.emitError(error);
    }
  }
  void new Audited({ httpServer: createServer() });
}

export function definitions(schema: Schema<string>): void {
  defineContract({ events: { a: schema } });
  // @ts-expect-error -- a schema
  defineContract({ events: { a: 'string' } });
  // @ts-expect-error -- argument and result
  defineContract({ procedures: { a: { args: schema } } });
  // @ts-expect-error -- a message
  defineContract({ channels: { a: { subscribe: schema } } });
  // @ts-expect-error -- claims are an object
  defineContract({ token: schema });
}

export async function users(id: string): Promise<void> {
  const user = server.users(id);
  same<typeof user, UserSockets<C>>();
  same<ReturnType<typeof user.sockets>, AGServerSocket<C>[]>();
  same<Awaited<ReturnType<typeof user.deauthenticate>>, number>();
  await user.transmit('typing', { room: 'a' });
  await user.transmit('poke');
  // @ts-expect-error -- another payload
  await user.transmit('typing', 'a');
  // @ts-expect-error -- there is no such event
  await user.transmit('news', 'x');
  attach(createServer(), { contract, userClaim: 'user' });
  attach(createServer(), { contract, isTokenRevoked: ({ user: name }) => name === id });
  attach(createServer(), {
    contract,
    isTokenRevoked: async ({ exp }, signed) => signed === null || exp === 0,
  });
  // @ts-expect-error -- no claim of the contract
  attach(createServer(), { contract, isTokenRevoked: ({ name }) => name === id });
  // @ts-expect-error -- true or false
  attach(createServer(), { contract, isTokenRevoked: () => 'no' });
  // @ts-expect-error -- no claim of the contract
  attach(createServer(), { contract, userClaim: 'name' });
}
