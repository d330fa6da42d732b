/**
 * A server that makes one mistake on purpose, so that one can see that the checker notices: `--fault=lose`, `duplicate`, `reorder` or
 * `corrupt`. The mistake is made once, on the second connection that is sent its twentieth frame.
 */
import { createServer } from 'node:http';
import { REPLY } from './application.mjs';
import { serveControl } from './control.mjs';
import { MessageReader, serverFrame, upgradeAnswer } from './websocket-bytes.mjs';

const FAULT = process.argv.find((flag) => flag.startsWith('--fault='))?.slice('--fault='.length);
const AT_FRAME = 20;
const ON_CONNECTION = 2;

/** What is written in place of two frames in a row. @type {Record<string, (first: Buffer, second: Buffer) => Buffer[]>} */
const faults = {
  lose: (_first, second) => [second],
  duplicate: (first, second) => [first, first, second],
  reorder: (first, second) => [second, first],
  corrupt: (first, second) => {
    const corrupted = Buffer.from(first);
    // One bit of the text, near its end.
    corrupted[corrupted.length - 10] ^= 1;
    return [corrupted, second];
  },
};

const commit = faults[FAULT];
let counted = 0;

/** Owns the frames of one connection, and counts them. */
class Faultily {
  #socket;
  #written = 0;
  #held;

  constructor(socket) {
    this.#socket = socket;
  }

  write(frame) {
    this.#written += 1;
    if (this.#held !== undefined) {
      for (const each of commit(this.#held, frame)) this.#socket.write(each);
      this.#held = undefined;
    } else if (this.#written === AT_FRAME && (counted += 1) === ON_CONNECTION) this.#held = frame;
    else this.#socket.write(frame);
  }
}

/** @type {Map<string, Set<Faultily>>} */
const channels = new Map();

const handlers = {
  hello(client) {
    client.write(serverFrame('{"op":"welcome","id":1,"isAuthenticated":true}'));
  },
  subscribe(client, { channel, id }) {
    channels.set(channel, (channels.get(channel) ?? new Set()).add(client));
    client.write(serverFrame(`{"op":"done","id":${id}}`));
  },
  publish(_client, { channel, data }) {
    const frame = serverFrame(JSON.stringify({ op: 'message', channel, data }));
    for (const subscriber of channels.get(channel) ?? []) subscriber.write(frame);
  },
  call(client, { id }) {
    client.write(serverFrame(`{"op":"reply","id":${id},"data":"${REPLY}"}`));
  },
};

const httpServer = createServer();
httpServer.on('upgrade', (request, socket) => {
  const client = new Faultily(socket);
  const reader = new MessageReader(
    (text) => {
      const message = JSON.parse(text);
      handlers[message.op](client, message);
    },
    () => socket.end(),
  );
  socket.on('data', (chunk) => reader.read(chunk));
  socket.on('error', () => {});
  socket.write(upgradeAnswer(request.headers['sec-websocket-key']));
});
httpServer.listen(0, '127.0.0.1', () => serveControl(httpServer.address().port));
