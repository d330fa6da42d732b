import type { BrokerLink, LinkHandlers } from '@socketcluster-ts/server';

/** Something the relay has asked, which the script answers. */
export interface Asked {
  readonly what: 'subscribe' | 'unsubscribe' | 'publish';
  readonly channel: string;
  readonly message: Uint8Array | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Owns a link whose engine does what a script says: the channels that the engine sends, what was asked and not answered, and
 * what the relay has done that no relay may.
 */
export class ScriptedLink implements BrokerLink {
  /** What the engine sends to this node. */
  readonly channels = new Set<string>();
  /** What was not answered, in the order in which it was asked. */
  readonly asked: Asked[] = [];
  /** What was published, answered or not. */
  readonly published: { readonly channel: string; readonly message: Uint8Array }[] = [];
  readonly violations: string[] = [];
  maxMessageBytes: number | undefined;
  isConnected = false;
  isClosed = false;
  #handlers: LinkHandlers | undefined;

  connect(handlers: LinkHandlers): void {
    if (this.#handlers !== undefined) this.violations.push('connect() was called twice');
    this.#handlers = handlers;
  }

  publish(channel: string, message: Uint8Array): Promise<void> {
    this.published.push({ channel, message });
    return this.#ask('publish', channel, message);
  }

  subscribe(channel: string): Promise<void> {
    return this.#askOnce('subscribe', channel);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#askOnce('unsubscribe', channel);
  }

  #askOnce(what: 'subscribe' | 'unsubscribe', channel: string): Promise<void> {
    if (this.asked.some((other) => other.what !== 'publish' && other.channel === channel)) {
      this.violations.push(`${what} of ${channel} while another request for it is under way`);
    }
    return this.#ask(what, channel, undefined);
  }

  #ask(what: Asked['what'], channel: string, message: Uint8Array | undefined): Promise<void> {
    if (!this.isConnected) this.violations.push(`${what} without a connection`);
    return new Promise((resolve, reject) => {
      this.asked.push({ what, channel, message, resolve, reject });
    });
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.disconnect();
    return Promise.resolve();
  }

  /** The engine does what was asked, and says so; or says that it does not. */
  answer(index: number, isAccepted: boolean): Asked | undefined {
    const [request] = this.asked.splice(index, 1);
    if (request === undefined) return undefined;
    const { what, channel, resolve, reject } = request;
    if (!isAccepted) {
      reject(new Error('not now'));
      return request;
    }
    if (what === 'subscribe') this.channels.add(channel);
    if (what === 'unsubscribe') this.channels.delete(channel);
    resolve();
    return request;
  }

  establish(): void {
    if (this.isConnected) return;
    this.isConnected = true;
    this.#handlers?.onStatus('connected');
  }

  disconnect(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.channels.clear();
    const error = new Error('The connection is lost');
    for (const { reject } of this.asked.splice(0)) reject(error);
    this.#handlers?.onStatus('connecting', error);
  }

  /** An attempt to connect has failed. */
  fail(): void {
    if (!this.isConnected) this.#handlers?.onStatus('connecting', new Error('No connection'));
  }

  /** The engine stops to send a channel. */
  lose(channel: string): void {
    if (this.channels.delete(channel)) this.#handlers?.onLost([channel]);
  }

  /** The engine sends something. */
  send(channel: string, message: Uint8Array): void {
    this.#handlers?.onMessage(channel, message);
  }
}
