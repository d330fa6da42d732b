/** A page of components that use the hooks under StrictMode; the tests say which are shown, and read what they show. */
import type { ClientOptions } from '@socketcluster-ts/client';
import { useChannel, useProcedure, useSocket, useSocketState } from '@socketcluster-ts/client/react';
import { defineContract, type, type Untyped } from '@socketcluster-ts/core';
import { type ReactNode, StrictMode, useEffect, useReducer } from 'react';
import { flushSync } from 'react-dom';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';

/** One component of the page. */
export type Widget = { readonly id: string } & (
  | { readonly kind: 'latest' | 'every' | 'reducer'; readonly channel: string | null }
  | { readonly kind: 'procedure'; readonly procedure: string }
);

/** Calls that a `procedure` widget makes. */
export interface Calls {
  call(data?: unknown): Promise<unknown>;
  abort(): void;
}

declare global {
  interface Window {
    /** Shows these widgets under one socket; `null` takes everything away. */
    show(widgets: readonly Widget[] | null): void;
    /** Shows these widgets as a server would have rendered them, and gives that; then they come to life. */
    hydrate(widgets: readonly Widget[]): string;
    /** What the `every` widgets were told, by their id. */
    told: Record<string, unknown[]>;
    /** Of the `procedure` widgets, by their id. */
    calls: Record<string, Calls>;
    /** The client of the page. */
    socket: ReturnType<typeof useSocket>;
    /** Whether the client of the page is given a contract, which has one channel: tea. */
    hasContract?: boolean;
    /** How often effects ran that run once without StrictMode. */
    mounts: number;
    isReady: true;
  }
}

const contract = defineContract({ channels: { tea: type<unknown>() } });

type Socket = ReturnType<typeof useSocket>;

function text(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value === undefined ? '-' : JSON.stringify(value);
}

function Latest({
  socket,
  channel,
}: {
  readonly socket: Socket;
  readonly channel: string | null;
}): ReactNode {
  const { state, message, error } = useChannel(socket, channel);
  return `${state} ${text(message)} ${text(error)}`;
}

function Every({
  socket,
  channel,
  id,
}: {
  readonly socket: Socket;
  readonly channel: string | null;
  readonly id: string;
}): ReactNode {
  const { state, message } = useChannel(socket, channel, {
    onMessage(received) {
      (window.told[id] ??= []).push(received);
      if (received === 'throw') throw new Error('The component is not amused');
    },
  });
  return `${state} ${text(message)}`;
}

function Reducer({
  socket,
  channel,
}: {
  readonly socket: Socket;
  readonly channel: string | null;
}): ReactNode {
  const [sum, add] = useReducer((total: number, message: number) => total + message, 0);
  const { state } = useChannel(socket, channel, { onMessage: add });
  return `${state} ${sum}`;
}

function ProcedureWidget({
  socket,
  procedure,
  id,
}: {
  readonly socket: Socket;
  readonly procedure: string;
  readonly id: string;
}): ReactNode {
  const { call, abort, isPending, result, error } = useProcedure(socket, procedure);
  useEffect(() => {
    window.calls[id] = { call, abort };
  }, [id, call, abort]);
  return `${isPending ? 'pending' : 'idle'} ${text(result)} ${text(error)}`;
}

function Show({ socket, widget }: { readonly socket: Socket; readonly widget: Widget }): ReactNode {
  const { kind, id } = widget;
  if (kind === 'procedure') return <ProcedureWidget socket={socket} procedure={widget.procedure} id={id} />;
  if (kind === 'every') return <Every socket={socket} channel={widget.channel} id={id} />;
  if (kind === 'reducer') return <Reducer socket={socket} channel={widget.channel} />;
  return <Latest socket={socket} channel={widget.channel} />;
}

function App({ widgets }: { readonly widgets: readonly Widget[] }): ReactNode {
  const options: ClientOptions = { autoReconnectOptions: { initialDelay: 50, maxDelay: 200 } };
  const socket = useSocket(
    window.hasContract === true ? { ...options, contract: contract as unknown as Untyped } : options,
  );
  const state = useSocketState(socket);
  useEffect(() => {
    window.socket = socket;
    window.mounts++;
  }, [socket]);
  return (
    <>
      <p id="socket">{state}</p>
      {widgets.map((widget) => (
        <p key={widget.id} id={widget.id}>
          <Show socket={socket} widget={widget} />
        </p>
      ))}
    </>
  );
}

const root: Root = createRoot(document.body.appendChild(document.createElement('main')));
window.told = {};
window.calls = {};
window.mounts = 0;
window.show = (widgets) => {
  // Effects included, so that a test knows when components are mounted.
  flushSync(() => {
    root.render(<StrictMode>{widgets === null ? null : <App widgets={widgets} />}</StrictMode>);
  });
};
window.hydrate = (widgets) => {
  const app = (
    <StrictMode>
      <App widgets={widgets} />
    </StrictMode>
  );
  const container = document.body.appendChild(document.createElement('main'));
  container.innerHTML = renderToString(app);
  const rendered = container.innerText;
  hydrateRoot(container, app);
  return rendered;
};
window.isReady = true;
