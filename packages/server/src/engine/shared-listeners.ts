import type { Socket as NetSocket } from 'node:net';
import type { WebSocket } from 'ws';
import type { EngineSocketHandlers } from './engine.js';

/** Whose connection it is: hears what its stream and its object of `ws` emit. */
export interface ConnectionOwner {
  readonly handlers: EngineSocketHandlers | undefined;
  /** Bytes came. */
  read(chunk: Buffer): void;
  /** The peer has ended the stream. */
  endWithPeer(): void;
  /** The stream is gone. */
  endWithoutLibrary(): void;
  /** A message came, of so many bytes. */
  report(message: string | Buffer, payloadBytes: number): void;
  /** The library refuses what it has read. */
  fail(error: Error): void;
}

// One set of functions for all connections, which find theirs by a symbol: no closure per connection.
const OWNER: unique symbol = Symbol('ConnectionOwner');
type Owned<T> = T & { [OWNER]?: ConnectionOwner };

/** Has the owner read what comes, and hear of the end of the stream if `ws` does not. */
export function readFrom(net: Owned<NetSocket>, owner: ConnectionOwner, hearsEnd: boolean): void {
  net[OWNER] = owner;
  net.on('data', onData);
  if (!hearsEnd) return;
  net.on('end', onNetEnd);
  net.on('close', onNetClose);
}

/** Nothing more is read by the owner. */
export function stopReading(net: NetSocket): void {
  net.off('data', onData);
}

/** Has the owner hear what the object of `ws` emits, and not of the end of the stream any more. */
export function listenTo(ws: Owned<WebSocket>, net: NetSocket, owner: ConnectionOwner): void {
  net.off('end', onNetEnd);
  net.off('close', onNetClose);
  ws[OWNER] = owner;
  ws.on('error', onError);
  ws.on('close', onClose);
  ws.on('message', onMessage);
  ws.on('ping', onControl);
  ws.on('pong', onControl);
}

function onData(this: Owned<NetSocket>, chunk: Buffer): void {
  this[OWNER]?.read(chunk);
}
function onNetEnd(this: Owned<NetSocket>): void {
  this[OWNER]?.endWithPeer();
}
function onNetClose(this: Owned<NetSocket>): void {
  this[OWNER]?.endWithoutLibrary();
}
function onMessage(this: Owned<WebSocket>, data: Buffer, isBinary: boolean): void {
  this[OWNER]?.report(isBinary ? data : data.toString(), data.length);
}
function onControl(this: Owned<WebSocket>): void {
  this[OWNER]?.handlers?.onControl();
}
function onError(this: Owned<WebSocket>, error: Error): void {
  this[OWNER]?.fail(error);
}
function onClose(this: Owned<WebSocket>, code: number, reason: Buffer): void {
  this[OWNER]?.handlers?.onClose(code, reason.length === 0 ? '' : reason.toString());
}
