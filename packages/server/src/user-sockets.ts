import {
  type AnyContract,
  type DataArguments,
  InvalidActionError,
  InvalidArgumentsError,
  type Untyped,
} from '@socketcluster-ts/core';
import { type UserId, userIdText } from './auth/user-index.js';
import type { TransmitOptions } from './exchange/subscriber.js';
import { recheckTokens } from './recheck-tokens.js';
import type { AGServerSocket } from './socket/server-socket.js';
import type { DeliveryOptions, SocketFace } from './socket/socket-context.js';
import type { UserAction } from './user-action.js';

/** What the sockets of a user are taken from. */
export interface UserSource {
  socketsOf(id: string): readonly SocketFace[];
  /** Something is taken from the user: logins under way are to be judged once more. */
  onRevocation(id: string): void;
  /**
   * Has the other nodes of the cluster do the same; gives the number of sockets there. Undefined where there are none, or
   * where this is what another node asked for.
   */
  elsewhere?: ((id: string, action: UserAction) => Promise<number>) | undefined;
}

/**
 * Owns nothing but an id, and stands for the sockets of that user: those whose token names it in the claim that the
 * option `userClaim` says.
 *
 * Who that is is looked up at each call: a socket belongs to its user from the moment it is authenticated until it is
 * deauthenticated, its token expires, it shows the token of somebody else, or it closes.
 *
 * What acts on them acts on the sockets of every node of the cluster, and resolves with the number of sockets it was done
 * to, `0` when the user is nowhere. When it fails for one socket, or a node does not answer within `ackTimeout`, it is done to
 * the others all the same, and rejects with the first failure.
 *
 * @typeParam C - the contract
 *
 * @example
 * ```ts
 * import type { AGServer } from '@socketcluster-ts/server';
 *
 * export async function ban(server: AGServer, userId: string): Promise<void> {
 *   await server.users(userId).deauthenticate();
 *   await server.users(userId).disconnect(4100, 'Banned');
 * }
 * ```
 */
export class UserSockets<C extends AnyContract = Untyped> {
  /** The id as text. */
  readonly id: string;
  readonly #source: UserSource;

  /** @throws {InvalidArgumentsError} for an id that names nobody */
  constructor(id: UserId, source: UserSource) {
    const text = userIdText(id);
    if (text === undefined) {
      const given = typeof id === 'string' || typeof id === 'number' ? JSON.stringify(id) : typeof id;
      throw new InvalidArgumentsError(
        `The id of a user must be text that is not empty or a finite number - Got ${given}`,
      );
    }
    this.id = text;
    this.#source = source;
  }

  /** The sockets of this node at this moment, in the order in which they were authenticated. */
  sockets(): AGServerSocket<C>[] {
    // The sockets of a server are AGServerSockets.
    return [...this.#source.socketsOf(this.id)] as unknown[] as AGServerSocket<C>[];
  }

  /** Sends an event to each socket, as `socket.transmit()` does. */
  transmit<N extends keyof C['types']['events'] & string>(
    event: N,
    ...data: DataArguments<C['types']['events'][N]['input'], [options?: TransmitOptions]>
  ): Promise<number>;
  transmit(event?: unknown, data?: unknown, options?: TransmitOptions): Promise<number> {
    const here = this.#each((socket) =>
      (socket as unknown as AGServerSocket).transmit(event as string, data, options),
    );
    return this.#everywhere(here, { name: 'transmit', event: event as string, data });
  }

  /**
   * Has each socket forget its token, and tells the clients to do the same. Subscriptions stay; see {@link kickOut}. A
   * token that is being judged at this moment is judged once more.
   *
   * With `rejectOnFailedDelivery` it resolves when every client has confirmed.
   */
  deauthenticate(options?: DeliveryOptions): Promise<number> {
    this.#source.onRevocation(this.id);
    const here = this.#each((socket) => socket.deauthenticate(options));
    return this.#everywhere(here, { name: 'deauthenticate', options });
  }

  /**
   * Unsubscribes each socket from the channel (or channels; without a name from all of its) and tells the clients why.
   * Counts the sockets that were subscribed to any of them. They may subscribe again.
   */
  kickOut(channel?: string | readonly string[], message?: string): Promise<number> {
    const here = this.#each((socket) => {
      const asked = channel === undefined ? socket.subscriptions() : [channel].flat();
      const held = asked.filter((name) => socket.isSubscribed(name));
      return held.length === 0 ? undefined : kickOutOf(socket, held, message);
    });
    return this.#everywhere(here, { name: 'kickOut', channel, message });
  }

  /** Judges the token of each socket again, as `server.recheckTokens()` does. Counts the sockets that lost theirs. */
  recheckTokens(): Promise<number> {
    this.#source.onRevocation(this.id);
    return this.#everywhere(recheckTokens(this.sockets()), { name: 'recheckTokens' });
  }

  /** Closes the connection of each socket, as `socket.disconnect()` does. */
  disconnect(code?: number, reason?: string): Promise<number> {
    this.#source.onRevocation(this.id);
    const here = this.#each((socket) => socket.disconnect(code, reason));
    return this.#everywhere(here, { name: 'disconnect', code, reason });
  }

  /** The number of sockets here and on the other nodes. */
  async #everywhere(here: Promise<number>, action: UserAction): Promise<number> {
    const elsewhere = this.#source.elsewhere?.(this.id, action) ?? 0;
    const [ours, theirs] = await Promise.allSettled([here, elsewhere]);
    if (ours.status === 'rejected') throw ours.reason;
    if (theirs.status === 'rejected') throw theirs.reason;
    return ours.value + theirs.value;
  }

  /** Counts the sockets for which `act` gives a promise, once they are all settled. */
  async #each(act: (socket: AGServerSocket<C>) => Promise<unknown> | undefined): Promise<number> {
    const acts = this.sockets().map((socket) => {
      try {
        return act(socket);
      } catch (error) {
        // What an application put in the place of a method may throw.
        return Promise.reject(error);
      }
    });
    const outcomes = await Promise.allSettled(acts.filter((done) => done !== undefined));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return outcomes.length;
  }
}

async function kickOutOf<C extends AnyContract>(
  socket: AGServerSocket<C>,
  channels: readonly string[],
  message: string | undefined,
): Promise<void> {
  await Promise.all(
    channels.map(async (channel) => {
      try {
        await socket.kickOut(channel, message);
      } catch (error) {
        // The client was faster: it is out, which is what was asked for.
        if (!(error instanceof InvalidActionError) || socket.isSubscribed(channel)) throw error;
      }
    }),
  );
}
