/** An application as a user writes it, without a single type argument: it must compile against the packed packages. It is never run. */
import { createServer } from 'node:http';
import { create } from '@socketcluster-ts/client';
import { useChannel, useProcedure, useSocket, useSocketState } from '@socketcluster-ts/client/react';
import sc, { type AGServer, type AGServerSocket, attach, listen } from '@socketcluster-ts/server';
import AGAction from '@socketcluster-ts/server/action';

const httpServer = createServer();
const server: AGServer = attach(httpServer, { authKey: 'a secret of the application', protocolVersion: 2 });

server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
  for await (const action of stream) {
    if (action.type === AGAction.PUBLISH_IN) {
      const channel: string = action.channel;
      const text = String(action.data);
      if (channel.length > 100) action.block(new Error('Too long'));
      else action.allow({ data: text.slice(0, 1000) });
    } else if (action.type === action.SUBSCRIBE && action.channel === 'secret') {
      action.block(new Error(`Not for ${action.socket.id}`));
    } else {
      action.allow();
    }
  }
});

async function serve(socket: AGServerSocket): Promise<void> {
  void (async () => {
    for await (const request of socket.procedure('add')) {
      const numbers: unknown = request.data;
      if (Array.isArray(numbers)) request.end(numbers.length);
      else request.error(new Error('Numbers, please'));
    }
  })();
  void (async () => {
    for await (const data of socket.receiver('say')) await server.exchange.invokePublish('room', data);
  })();
  for await (const { code, reason } of socket.listener('disconnect')) console.log(code, reason);
}

async function main(): Promise<void> {
  void (async () => {
    for await (const { warning } of server.listener('warning')) console.warn(warning);
  })();
  void (async () => {
    for await (const message of server.exchange.subscribe('room')) console.log(message);
  })();
  for await (const { socket, isAuthenticated } of server.listener('connection')) {
    if (!isAuthenticated) await socket.setAuthToken({ name: 'guest' }, { expiresIn: 60 });
    void serve(socket);
  }
}

async function talk(): Promise<void> {
  const socket = create({ hostname: 'localhost', port: 8000, autoReconnectOptions: { maxDelay: 5000 } });
  const sum: unknown = await socket.invoke('add', [1, 2], {
    timeout: 1000,
    signal: new AbortController().signal,
  });
  console.log(sum, socket.authToken?.exp);
  const room = socket.subscribe<string>('room', { waitForAuth: true, priority: 1 });
  void (async () => {
    for await (const { error } of room.listener('subscribeFail')) console.error(error);
  })();
  for await (const text of room) console.log(text.length);
  await socket.close();
}

/** A component without JSX. */
export function News(): string {
  const socket = useSocket({ hostname: 'localhost', port: 8000 });
  const { state, message, error } = useChannel(socket, 'news', {
    onMessage: (text: string) => console.log(text),
  });
  const { call, isPending, result } = useProcedure(socket, 'add');
  if (state === 'unsubscribed' && !isPending) void call([1, 2], { timeout: 1000 });
  const found: unknown = message ?? result ?? error;
  return `${useSocketState(socket)} ${String(found)}`;
}

void main();
void talk();
httpServer.listen(8000);
export const others: AGServer[] = [
  listen(8001),
  new sc.AGServer({ httpServer: createServer() }),
  sc.attach(createServer()),
];
