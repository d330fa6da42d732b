/** What the types of the public surface promise. Compiled with the tests, never run. */
import { createServer } from 'node:http';
import socketClusterServer, {
  AGAction,
  type AGChannel,
  type AGExchange,
  type AGRequest,
  AGServer,
  AGServerSocket,
  AGSimpleBroker,
  type AuthEngine,
  type AuthToken,
  attach,
  type BrokerEngine,
  type CodecEngine,
  jsonCodec,
  listen,
  type MiddlewareFunction,
  type ServerOptions,
} from '@socketcluster-ts/server';
import Action from '@socketcluster-ts/server/action';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Equal<A, B> = IsAny<A> extends true ? IsAny<B> : IsAny<B> extends true ? false : Mutual<A, B>;

/** Compiles only when both types are the same; `any` is the same as nothing but itself. */
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : [never]): void {}

const server = attach(createServer(), { authKey: 'k'.repeat(32), pingInterval: 1000 });

export async function eventsOfTheServer(): Promise<void> {
  for await (const event of server.listener('connection')) {
    same<typeof event.socket, AGServerSocket>();
    same<typeof event.id, string>();
    same<typeof event.pingTimeout, number>();
    same<typeof event.authError, Error | undefined>();
    // @ts-expect-error -- there is no such field
    void event.nothing;
  }
  for await (const { socket, code, reason } of server.listener('closure')) {
    same<typeof socket, AGServerSocket>();
    same<typeof code, number>();
    same<typeof reason, string | undefined>();
  }
  const { oldAuthToken } = await server.listener('deauthentication').once();
  same<typeof oldAuthToken, AuthToken | null>();
  const custom = await server.listener('an event of the application').once();
  same<typeof custom, unknown>();
  // @ts-expect-error -- the payload of a known event is known
  server.emit('warning', { warn: 1 });
}

export async function eventsAndCallsOfASocket(socket: AGServerSocket): Promise<void> {
  for await (const { channel, subscriptionOptions } of socket.listener('subscribe')) {
    same<typeof channel, string>();
    same<typeof subscriptionOptions.data, unknown>();
  }
  for await (const data of socket.receiver('ping')) same<typeof data, unknown>();
  for await (const data of socket.receiver<{ x: number }>('move')) same<typeof data.x, number>();
  for await (const request of socket.procedure<[number, number]>('add')) {
    same<typeof request.data, [number, number]>();
    request.end(request.data[0] + request.data[1]);
    request.error(new Error('no'));
  }
  for await (const request of socket.procedure('anything')) same<typeof request.data, unknown>();
  same<ReturnType<typeof socket.invoke>, Promise<unknown>>();
  same<typeof socket.state, 'connecting' | 'open' | 'closed'>();
  same<typeof socket.authToken, AuthToken | null>();
  same<typeof socket.exchange, AGExchange>();
  await socket.setAuthToken({ name: 'ann' }, { expiresIn: '2h', rejectOnFailedDelivery: true });
  await socket.kickOut(['a', 'b'], 'closed');
  // @ts-expect-error -- a token is an object
  await socket.setAuthToken('ann');
  // @ts-expect-error -- a close code is a number
  await socket.disconnect('1000');
  // @ts-expect-error -- the state is read only
  socket.state = 'open';
}

export function actionsNarrowByType(): void {
  server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
    for await (const action of stream) {
      same<typeof action.socket, AGServerSocket>();
      if (action.type === action.PUBLISH_IN) {
        same<typeof action.channel, string>();
        same<typeof action.data, unknown>();
        action.allow({ data: 1 });
      } else if (action.type === AGAction.INVOKE) {
        same<typeof action.procedure, string>();
        // @ts-expect-error -- a call has no channel
        void action.channel;
        action.block(new Error('no'));
      } else if (action.type === 'authenticate') {
        same<typeof action.authToken, AuthToken>();
      }
      // @ts-expect-error -- what comes in is never on its way out
      if (action.type === action.PUBLISH_OUT) action.allow();
      const { type, allow, block } = action;
      if (type === 'transmit') allow();
      else block();
    }
  });
  server.setMiddleware(server.MIDDLEWARE_HANDSHAKE, async (stream) => {
    for await (const action of stream) {
      void action.request.headers.cookie;
      // @ts-expect-error -- before the upgrade there is no socket
      void action.socket;
      if (action.type === action.HANDSHAKE_SC) same<typeof action.socket, AGServerSocket>();
      action.allow();
    }
  });
  server.setMiddleware('outbound', (stream) => {
    void stream.once().then((action) => action.allow({ options: { useCache: true } }));
  });
  server.setMiddleware(server.MIDDLEWARE_INBOUND_RAW, async (stream) => {
    for await (const { data, allow } of stream) {
      same<typeof data, string | Buffer>();
      allow();
    }
  });
  // @ts-expect-error -- there are four lines
  server.setMiddleware('sideways', () => {});
  // @ts-expect-error -- a middleware is a function
  server.setMiddleware('inbound', 5);
  const plain: MiddlewareFunction = async (stream) => {
    for await (const action of stream) action.allow();
  };
  void plain;
}

export function options(): void {
  const given: ServerOptions = { origins: ['a.com:443'], socketChannelLimit: null, protocolVersion: 1 };
  // @ts-expect-error -- there are two versions
  given.protocolVersion = 3;
  // @ts-expect-error -- there are three modes
  attach(createServer(), { socketStreamCleanupMode: 'drop' });
  // @ts-expect-error -- milliseconds are a number
  listen(8000, { pingTimeout: '20s' });
  listen(8000, () => {});
  listen(8000, given, () => {});
  new AGServer({ httpServer: createServer() }).options.path satisfies string | null;
  const codec: CodecEngine = {
    encode: (value) => JSON.stringify(value),
    decode: (text) => JSON.parse(String(text)),
  };
  const authEngine: AuthEngine = { verifyToken: async () => ({ name: 'ann' }) };
  const brokerEngine: BrokerEngine = new AGSimpleBroker();
  attach(createServer(), { codecEngine: codec, authEngine, brokerEngine });
  void server.auth.signToken({}, server.signatureKey);
  server.allowClientPublish = false;
  // @ts-expect-error -- yes or no
  server.allowClientPublish = 'sometimes';
}

export async function channels(): Promise<void> {
  const channel = server.exchange.subscribe<{ text: string }>('room');
  same<typeof channel, AGChannel<{ text: string }>>();
  for await (const message of channel) same<typeof message.text, string>();
  for await (const message of server.exchange.channel('room')) same<typeof message, unknown>();
  await server.exchange.invokePublish('room', { text: 'hi' });
  server.exchange.closeChannel('room');
  same<ReturnType<typeof server.exchange.subscriptions>, string[]>();
}

export function theDoors(request: AGRequest<AGServerSocket, string>): void {
  same<typeof request.data, string>();
  same<typeof request.socket.id, string>();
  same<typeof socketClusterServer.AGServer, typeof AGServer>();
  same<typeof Action, typeof AGAction>();
  same<typeof jsonCodec, typeof socketClusterServer.jsonCodec>();
  same<typeof AGServer.MIDDLEWARE_INBOUND, 'inbound'>();
  same<typeof AGServerSocket.OPEN, 'open'>();
}

export async function users(): Promise<void> {
  const user = server.users(5);
  same<ReturnType<typeof user.sockets>, AGServerSocket[]>();
  await user.transmit('any event', { any: 'data' });
  await user.kickOut(['a', 'b'], 'why');
  attach(createServer(), { userClaim: 'any claim' });
  // @ts-expect-error -- text or a number
  server.users({ id: 5 });
}
