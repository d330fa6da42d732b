/**
 * The Node limit: what is left when a server does nothing but what must be done. One frame per message, shared by all subscribers; one
 * write per connection and event-loop turn; no checks, no limits, no heartbeat, no features. It is no server to use, it is a ruler.
 */
import { createServer } from 'node:http';
import { REPLY, verifyToken } from './application.mjs';
import { serveControl } from './control.mjs';
import { MessageReader, serverFrame, upgradeAnswer } from './websocket-bytes.mjs';

/** @type {Map<string, { subscribers: Set<import('node:net').Socket>, frames: Buffer[] }>} */
const channels = new Map();
/** What was published or answered in this turn. */
const dirtyChannels = [];
const dirtyClients = [];
let isFlushScheduled = false;
let lastId = 0;

function flushLater() {
  if (isFlushScheduled) return;
  isFlushScheduled = true;
  setImmediate(flush);
}

function flush() {
  isFlushScheduled = false;
  for (const client of dirtyClients.splice(0)) {
    client.socket.write(joined(client.answers));
    client.answers = [];
  }
  for (const channel of dirtyChannels.splice(0)) {
    const bytes = joined(channel.frames);
    channel.frames = [];
    for (const socket of channel.subscribers) socket.write(bytes);
  }
}

function joined(frames) {
  return frames.length === 1 ? frames[0] : Buffer.concat(frames);
}

function answer(client, text) {
  if (client.answers.push(serverFrame(text)) === 1) dirtyClients.push(client);
  flushLater();
}

const handlers = {
  hello(client, { token }) {
    if (token !== null) verifyToken(token);
    lastId += 1;
    answer(client, `{"op":"welcome","id":${lastId},"isAuthenticated":${token !== null}}`);
  },
  subscribe(client, { channel, id }) {
    let entry = channels.get(channel);
    if (entry === undefined) channels.set(channel, (entry = { subscribers: new Set(), frames: [] }));
    entry.subscribers.add(client.socket);
    client.channels.push(channel);
    answer(client, `{"op":"done","id":${id}}`);
  },
  publish(_client, { channel, data }) {
    const entry = channels.get(channel);
    if (entry === undefined) return;
    const frame = serverFrame(JSON.stringify({ op: 'message', channel, data }));
    if (entry.frames.push(frame) === 1) dirtyChannels.push(entry);
    flushLater();
  },
  call(client, { id }) {
    answer(client, `{"op":"reply","id":${id},"data":"${REPLY}"}`);
  },
};

const httpServer = createServer();
httpServer.on('upgrade', (request, socket) => {
  const client = { socket, answers: [], channels: [] };
  const reader = new MessageReader(
    (text) => {
      const message = JSON.parse(text);
      handlers[message.op](client, message);
    },
    () => socket.end(),
  );
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.on('data', (chunk) => reader.read(chunk));
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const channel of client.channels) {
      const entry = channels.get(channel);
      entry.subscribers.delete(socket);
      if (entry.subscribers.size === 0) channels.delete(channel);
    }
  });
  socket.write(upgradeAnswer(request.headers['sec-websocket-key']));
});
httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
