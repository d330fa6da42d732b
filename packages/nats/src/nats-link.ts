import {
  type ConnectionOptions,
  connect,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import {
  BrokerError,
  type BrokerLink,
  InvalidOptionsError,
  type LinkHandlers,
} from '@socketcluster-ts/server';
import { connectError, versionError } from './connect-error.js';
import { subjectOf } from './subject.js';

/** What {@link natsLink} is told: the options of the NATS client, such as `servers`, `user`, `pass`, `tls`; and: */
export interface NatsLinkOptions extends Omit<ConnectionOptions, 'reconnect' | 'waitOnFirstConnect'> {
  /**
   * A connection of the application's own, instead of one made with the options. It is not closed with the link.
   */
  readonly connection?: NatsConnection | undefined;
  /**
   * The first part of the subjects; clusters that share a NATS need different ones.
   * @default 'socketcluster'
   */
  readonly prefix?: string | undefined;
}

/** Delays between attempts to connect, in ms: doubled each time, up to the second, and by chance down to their half. */
const RETRY_MS = { first: 100, most: 2000 };
/** An engine that answers nothing is noticed after this time, twice. */
const PING_INTERVAL_MS = 2000;
/** A server that has not taken a connection by then is tried again. */
const CONNECT_TIMEOUT_MS = 5000;
const NAMES_OF_OURS: ReadonlySet<string> = new Set(['connection', 'prefix']);

/**
 * A link to NATS (core, no JetStream): a server of version 2.0 or newer, or a cluster of them. Give it to
 * `relayBroker()`.
 *
 * `publish()` resolves when the server has processed the message: what one turn of the event loop publishes is confirmed
 * together, by one PING. A subject that the user may not publish to, or subscribe to, is an error.
 *
 * @throws {InvalidOptionsError} for a prefix that subjects cannot have, and for options beside a `connection`
 */
export function natsLink(options: NatsLinkOptions = {}): BrokerLink {
  return new NatsLink(options);
}

/** A publish or a subscription that the server has not confirmed. */
interface Question {
  /** The subject of a publish; a subscription is told of its own error. */
  readonly subject: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class NatsLink implements BrokerLink {
  readonly #options: ConnectionOptions;
  readonly #prefix: string;
  readonly #given: NatsConnection | undefined;
  readonly #subscriptions = new Map<string, Subscription>();
  #handlers: LinkHandlers | undefined;
  #connection: NatsConnection | undefined;
  /** What this run asked, until one PING asks for its confirmation. */
  #run: Question[] = [];
  /** What was asked and is not confirmed. */
  readonly #unconfirmed = new Set<Question>();
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor({ connection, prefix = 'socketcluster', ...options }: NatsLinkOptions) {
    if (typeof prefix !== 'string' || !/^[^\s.*>]+(?:\.[^\s.*>]+)*$/.test(prefix)) {
      throw new InvalidOptionsError(
        `The prefix option must be the beginning of a NATS subject, without white space, * and > - Got ${JSON.stringify(prefix)}`,
      );
    }
    const others = Object.keys(options).filter((name) => !NAMES_OF_OURS.has(name));
    if (connection !== undefined && others.length > 0) {
      throw new InvalidOptionsError(
        `The connection option stands for a connection that is made already, and takes no options beside it - Got ${others.join(', ')}`,
      );
    }
    this.#given = connection;
    this.#prefix = prefix;
    this.#options = {
      pingInterval: PING_INTERVAL_MS,
      timeout: CONNECT_TIMEOUT_MS,
      noEcho: true,
      ...options,
      // Each connection is followed to its end, and another one made: what was confirmed on one counts on no other.
      reconnect: false,
    };
  }

  get maxMessageBytes(): number | undefined {
    return this.#connection?.info?.max_payload;
  }

  connect(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#given === undefined) void this.#open();
    else this.#use(this.#given);
  }

  publish(channel: string, message: Uint8Array): Promise<void> {
    const subject = subjectOf(this.#prefix, channel);
    return this.#ask(subject, (connection) => connection.publish(subject, message));
  }

  subscribe(channel: string): Promise<void> {
    const subject = subjectOf(this.#prefix, channel);
    return this.#ask(subject, (connection, reject) => {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) this.#handlers?.onMessage(channel, message.data);
          else {
            this.#forget(channel, subscription);
            // Before it was confirmed, whoever asked is told; afterwards it is a permission that was taken away.
            if (!reject(error)) this.#handlers?.onLost([channel]);
          }
        },
      });
      this.#subscriptions.set(channel, subscription);
    });
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#ask('', () => this.#forget(channel, this.#subscriptions.get(channel)));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const connection = this.#connection;
    this.#end(new BrokerError('The link to NATS was closed'));
    if (connection !== undefined && this.#given === undefined) await connection.close().catch(() => {});
    this.#handlers?.onStatus('closed');
  }

  async #open(): Promise<void> {
    try {
      const connection = await connect(this.#options);
      const error = versionError(this.#servers, connection.info?.version);
      if (error !== undefined || this.#isClosed) await connection.close();
      if (error !== undefined) throw error;
      if (!this.#isClosed) this.#use(connection);
    } catch (error) {
      this.#connectAgain(error instanceof BrokerError ? error : connectError(this.#servers, error));
    }
  }

  get #servers(): string {
    const { servers = '127.0.0.1', port } = this.#options;
    return `${[servers].flat().join(', ')}${port === undefined ? '' : `:${port}`}`;
  }

  #connectAgain(error: BrokerError): void {
    if (this.#isClosed) return;
    const longest = Math.min(RETRY_MS.first * 2 ** Math.min(this.#failures, 10), RETRY_MS.most);
    const delay = Math.ceil(longest * (0.5 + Math.random() / 2));
    this.#failures += 1;
    this.#retry = setTimeout(() => void this.#open(), delay);
    this.#handlers?.onStatus('connecting', error);
  }

  /** Serves through a connection until it ends. */
  #use(connection: NatsConnection): void {
    if (connection.isClosed()) {
      this.#handlers?.onStatus('connecting', new BrokerError('The given connection to NATS is closed'));
      return;
    }
    void this.#watch(connection);
    void connection.closed().then((error) => this.#onClosed(connection, error));
    this.#begin(connection);
  }

  #begin(connection: NatsConnection): void {
    this.#connection = connection;
    this.#failures = 0;
    this.#handlers?.onStatus('connected');
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.#isClosed) return;
      if (status.type === 'error') this.#onServerError(status.error);
      // Only a connection of the application's own connects again by itself.
      else if (status.type === 'disconnect' && this.#connection === connection) {
        this.#lose(new BrokerError(`The connection to NATS at ${status.server} was lost`));
      } else if (status.type === 'reconnect') this.#begin(connection);
    }
  }

  #onServerError(error: Error): void {
    const { operation, subject } = error as { operation?: string; subject?: string };
    const refused = [...this.#unconfirmed].filter(
      (each) => operation === 'publish' && each.subject === subject,
    );
    for (const question of refused) {
      this.#unconfirmed.delete(question);
      question.reject(new BrokerError(`NATS refused to publish: ${error.message}`, { cause: error }));
    }
    // A subscription is told of its own.
    if (refused.length === 0 && operation !== 'subscription') this.#handlers?.onError(error);
  }

  #onClosed(connection: NatsConnection, error: void | Error): void {
    if (this.#isClosed) return;
    const reason = new BrokerError(`The connection to NATS was lost${error ? ` (${error.message})` : ''}`, {
      cause: error,
    });
    if (this.#connection === connection) this.#end(reason);
    if (this.#given === undefined) this.#connectAgain(reason);
    else this.#handlers?.onStatus('connecting', reason);
  }

  /** The connection is gone for now, and everything with it that was subscribed or asked. */
  #lose(error: BrokerError): void {
    this.#end(error);
    this.#handlers?.onStatus('connecting', error);
  }

  #end(error: BrokerError): void {
    this.#connection = undefined;
    for (const [channel, subscription] of this.#subscriptions) this.#forget(channel, subscription);
    for (const { reject } of [...this.#unconfirmed, ...this.#run]) reject(error);
    this.#unconfirmed.clear();
    this.#run = [];
  }

  #forget(channel: string, subscription: Subscription | undefined): void {
    if (subscription === undefined) return;
    if (this.#subscriptions.get(channel) === subscription) this.#subscriptions.delete(channel);
    if (!subscription.isClosed()) subscription.unsubscribe();
  }

  /** Does something that the server confirms together with everything else of this run. */
  #ask(
    subject: string,
    act: (connection: NatsConnection, reject: (error: Error) => boolean) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const connection = this.#connection;
      if (connection === undefined) {
        reject(new BrokerError('There is no connection to NATS'));
        return;
      }
      let isSettled = false;
      const question: Question = {
        subject,
        resolve: () => {
          isSettled = true;
          resolve();
        },
        reject: (error) => {
          isSettled = true;
          reject(error);
        },
      };
      const refuse = (error: Error): boolean => {
        if (isSettled) return false;
        question.reject(new BrokerError(`NATS refused: ${error.message}`, { cause: error }));
        return true;
      };
      try {
        act(connection, refuse);
      } catch (error) {
        question.reject(new BrokerError(`NATS: ${(error as Error).message}`, { cause: error }));
        return;
      }
      if (this.#run.push(question) === 1) queueMicrotask(() => void this.#confirmRun(connection));
    });
  }

  async #confirmRun(connection: NatsConnection): Promise<void> {
    const run = this.#run;
    this.#run = [];
    for (const question of run) this.#unconfirmed.add(question);
    try {
      await connection.flush();
      // A refusal came before the answer, but reaches us through an iterator: later by some microtasks.
      await new Promise((resolve) => setImmediate(resolve));
      for (const question of run) if (this.#unconfirmed.delete(question)) question.resolve();
    } catch (error) {
      const reason = new BrokerError('The connection to NATS was lost before the answer', { cause: error });
      for (const question of run) if (this.#unconfirmed.delete(question)) question.reject(reason);
    }
  }
}
