import { connect } from 'node:net';
import { CLOSE_FRAME, pongFrame, textFrame } from './client-frame.mjs';
import { FrameReader } from './frame-reader.mjs';

/** All connections read into the same memory: what has been read is looked at before the next read. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * Where a connection leads, and where its faults are counted.
 * @typedef {{ port: number, dialect: import('./dialects/dialect.mjs').Dialect, faults: import('./faults.mjs').Faults }} Target
 */

/** Owns one raw WebSocket to the server, from the TCP connection on. */
export class Connection {
  /** Given every chunk instead of the connection's own reader. @type {((chunk: Buffer, length: number) => void) | undefined} */
  onChunk;
  /** @type {(channel: string, data: unknown) => void} */
  onDelivery = () => this.#fault('corrupted', 'got a message of a channel it has not subscribed to');
  /** @type {(id: number, data: unknown) => void} */
  onAnswer = (id) => this.#fault('duplicated', `got answer ${id}, which it does not wait for`);

  #target;
  #name;
  #socket;
  #token = null;
  #reader = new FrameReader((...frame) => this.takeFrame(...frame));
  /** The HTTP answer as far as it has arrived; undefined once the WebSocket is open. @type {string | undefined} */
  #answer = '';
  /** Who waits for the welcome (0) or for an answer. @type {Map<number, { resolve: Function, reject: Function }>} */
  #waiting = new Map();
  #lastId = 1;
  #isLeaving = false;
  #isClosed = false;

  /**
   * @param {Target} target
   * @param {string} name for descriptions of faults
   */
  constructor(target, name) {
    this.#target = target;
    this.#name = name;
  }

  /**
   * Connects. Settles when the server has accepted the client, its token included.
   * @param {string | null} [token]
   */
  open(token = null) {
    this.#token = token;
    const { port, dialect } = this.#target;
    const welcome = this.#wait(0);
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: READ_BUFFER,
        callback: (length, chunk) => {
          this.#read(chunk, length);
          return true;
        },
      },
    });
    this.#socket.on('connect', () => {
      this.#socket.write(
        `GET ${dialect.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
      );
    });
    this.#socket.on('error', (error) => this.#closed(error.message));
    this.#socket.on('close', () => this.#closed('the server closed the connection'));
    return welcome;
  }

  /**
   * Settles when the server has confirmed the subscription.
   * @param {string} channel
   */
  subscribe(channel) {
    this.#lastId += 1;
    const id = this.#lastId;
    const done = this.#wait(id);
    this.send(this.#target.dialect.subscribe(channel, id));
    return done;
  }

  /** @param {string} text */
  send(text) {
    this.#socket.write(textFrame(text));
  }

  /** @param {Buffer} frames whole frames, masked; must not be changed any more */
  sendFrames(frames) {
    this.#socket.write(frames);
  }

  /** Stops reading, so that what the server sends piles up. */
  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  /** As `pause()`, never to read again: a server that cuts it off makes no fault. */
  stopForGood() {
    this.#isLeaving = true;
    this.#socket.pause();
  }

  /** Leaves without a word. */
  destroy() {
    this.#isLeaving = true;
    this.#socket.destroy();
  }

  /** Leaves with a close frame. Settles when the connection is closed. */
  async close() {
    this.#isLeaving = true;
    if (this.#isClosed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.end(CLOSE_FRAME);
    await closed;
  }

  /**
   * Takes a whole frame of the server.
   * @param {number} opcode
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   */
  takeFrame(opcode, bytes, start, end) {
    if (opcode === TEXT) {
      const meaning = this.meaningOf(bytes.toString('utf8', start, end));
      if (meaning !== undefined) this.takeMeaning(meaning);
    } else if (opcode === PING) this.#socket.write(pongFrame(bytes.subarray(start, end)));
    else if (opcode === CLOSE) {
      if (!this.#isLeaving) this.#fault('disconnected', `was closed by code ${bytes.readUInt16BE(start)}`);
    } else if (opcode !== PONG) this.#fault('corrupted', `got a frame of type ${opcode}`);
  }

  /**
   * What a message means; undefined, and a fault, when it cannot be read.
   * @param {string} text
   */
  meaningOf(text) {
    try {
      return this.#target.dialect.read(text);
    } catch {
      this.#fault('corrupted', `cannot read ${text.slice(0, 80)}`);
      return undefined;
    }
  }

  /** @param {import('./dialects/dialect.mjs').Meaning} meaning */
  takeMeaning(meaning) {
    switch (meaning.kind) {
      case 'ping':
        return this.send(meaning.pong);
      case 'open':
        return this.send(meaning.reply(this.#token));
      case 'welcome':
        if (meaning.isAuthenticated === false && this.#token !== null) {
          this.#fault('refused', 'is not authenticated although its token is valid');
        }
        return this.#settle(0)?.resolve();
      case 'delivery':
        return this.onDelivery(meaning.channel, meaning.data);
      case 'answer': {
        const waiting = this.#settle(meaning.id);
        return waiting === undefined ? this.onAnswer(meaning.id, meaning.data) : waiting.resolve();
      }
      case 'refusal':
        return this.#fault('refused', `was refused: ${meaning.why}`);
      default:
        return this.#fault('corrupted', 'got a message of no known kind');
    }
  }

  #read(chunk, length) {
    if (this.#answer !== undefined) this.#readAnswer(chunk, length);
    else if (this.onChunk === undefined) this.#reader.read(chunk, length);
    else this.onChunk(chunk, length);
  }

  #readAnswer(chunk, length) {
    this.#answer += chunk.toString('latin1', 0, length);
    const end = this.#answer.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#answer.slice(0, end);
    // What is behind the head are frames already.
    const frames = Buffer.from(this.#answer.slice(end + 4), 'latin1');
    this.#answer = undefined;
    if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(ACCEPT)) {
      this.#fault('refused', `was not upgraded: ${head.split('\r\n', 1)[0]}`);
      return this.#closed('the upgrade failed');
    }
    const greeting = this.#target.dialect.greeting(this.#token);
    if (greeting !== undefined) this.send(greeting);
    if (frames.length > 0) this.#reader.read(frames, frames.length);
  }

  #wait(id) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #closed(why) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isLeaving) this.#fault('disconnected', why);
    for (const { reject } of this.#waiting.values()) reject(new Error(`${this.#name}: ${why}`));
    this.#waiting.clear();
  }

  #fault(kind, description) {
    this.#target.faults.add(kind, `${this.#name} ${description}`);
  }
}
