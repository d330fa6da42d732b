import { Duplex } from 'node:stream';

/** A server's end of a TCP connection without a network: what a client would send is fed, and what is written is kept. */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string = '127.0.0.1';
  readonly remotePort: number = 1;
  readonly remoteFamily: string = 'IPv4';
  readonly timeout: number = 0;
  /** Everything that was written. */
  readonly written: Buffer[] = [];
  readonly #isSlow: boolean;
  #writtenBytes = 0;

  /** `isSlow` has each write wait for the next turn of the event loop, as when the buffers of the system are full. */
  constructor(isSlow: boolean) {
    super({ allowHalfOpen: true });
    this.#isSlow = isSlow;
  }

  get bytesWritten(): number {
    return this.#writtenBytes + this.writableLength;
  }

  /** What the client sends next, as one read; from the reads behind an end nothing comes. */
  feed(bytes: Uint8Array): void {
    if (!this.destroyed && !this.readableEnded) this.push(bytes);
  }

  /** The client ends its direction. */
  feedEnd(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  /** The connection breaks. */
  break(): void {
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  address(): { readonly address: string; readonly port: number } {
    return { address: '127.0.0.1', port: 2 };
  }

  destroySoon(): void {
    this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  resetAndDestroy(): void {
    this.destroy();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#writtenBytes += chunk.length;
    this.written.push(Buffer.from(chunk));
    if (this.#isSlow) setImmediate(done);
    else done();
  }
}
