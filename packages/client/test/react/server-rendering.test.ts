import { create } from '@socketcluster-ts/client';
import { useChannel, useProcedure, useSocket, useSocketState } from '@socketcluster-ts/client/react';
import { createElement, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, test } from 'vitest';

function Page({ made }: { readonly made: (socket: ReturnType<typeof useSocket>) => void }): ReactNode {
  const socket = useSocket({ hostname: '127.0.0.1', port: 1 });
  made(socket);
  const { state, message, error } = useChannel(socket, 'tea');
  const none = useChannel(socket, null);
  const { isPending, result } = useProcedure(socket, 'add');
  return JSON.stringify([useSocketState(socket), state, message, error, none.state, isPending, result]);
}

describe('hooks on a server', () => {
  test('show what holds before anything is connected, and connect and subscribe nothing', () => {
    const sockets: ReturnType<typeof useSocket>[] = [];
    const html = renderToString(createElement(Page, { made: (socket) => sockets.push(socket) }));
    expect(JSON.parse(html.replaceAll('&quot;', '"'))).toEqual([
      'closed',
      'pending',
      null,
      null,
      'unsubscribed',
      false,
      null,
    ]);
    expect(sockets.map((socket) => [socket.state, socket.subscriptions(true)])).toEqual([['closed', []]]);
  });

  test('useSocket() takes a function that makes a client, and refuses one that connects already', () => {
    const made = create({ autoConnect: false, hostname: '127.0.0.1', port: 1 });
    const given: unknown[] = [];
    const Owner = ({ make }: { readonly make: () => typeof made }): ReactNode => {
      given.push(useSocket(make));
      return null;
    };
    renderToString(createElement(Owner, { make: () => made }));
    expect(given).toEqual([made]);

    const connecting = create({ hostname: '127.0.0.1', port: 1 });
    expect(() => renderToString(createElement(Owner, { make: () => connecting }))).toThrow(
      expect.objectContaining({
        name: 'InvalidArgumentsError',
        message:
          'The client that a function gives to useSocket() must be made with autoConnect: false - Got one that connects',
      }) as Error,
    );
    expect(connecting.state).toBe('closed');
  });

  test('a wrong option is an error that names it', () => {
    const Wrong = (): ReactNode => {
      useSocket({ port: 'eighty' as unknown as number });
      return null;
    };
    expect(() => renderToString(createElement(Wrong))).toThrow(/port/);
  });
});
