import type { Server } from 'node:http';
import { type AGServer, type AGServerSocket, attach } from '@socketcluster-ts/server';
import { memberName } from './accounts.js';
import {
  BURST_CHANNEL,
  checkRoomAccess,
  MEMBERS_ROOM,
  parseChannel,
  presenceChannel,
  roomChannel,
  STATS_CHANNEL,
  SUGGESTED_ROOMS,
} from './channel-rules.js';
import { stampMessage } from './chat-message.js';
import { Presence } from './presence.js';
import { createProcedures, type Procedure } from './procedures.js';
import { Refusal } from './refusal.js';
import { RoomHistory } from './room-history.js';
import { TokenBucket } from './token-bucket.js';

const STATS_INTERVAL_MS = 1000;
/** Close code "service restart": the page says so, and its client comes back by itself. */
const CLOSE_RESTART = 1012;

/** Owns the real-time half of the demo: the SocketCluster server, its rules, who is where, and the figures. */
export class Realtime {
  readonly #server: AGServer;
  readonly #history: RoomHistory = new RoomHistory();
  readonly #presence: Presence = new Presence();
  readonly #procedures: ReadonlyMap<string, Procedure> = createProcedures(this.#history);
  readonly #statsTimer: NodeJS.Timeout;
  readonly #startedAt: number = performance.now();
  #published = 0;

  /** Attaches to `httpServer` and begins to publish figures each second. */
  constructor(httpServer: Server, authKey: string) {
    this.#server = attach(httpServer, { authKey });
    this.#guard();
    this.#watch();
    this.#statsTimer = setInterval(() => this.#publishStats(), STATS_INTERVAL_MS);
  }

  /** How many sockets are connected. */
  get clientsCount(): number {
    return this.#server.clientsCount;
  }

  /** Tells every page that the server restarts, so that it can say so, and takes no further sockets. */
  announceRestart(): void {
    clearInterval(this.#statsTimer);
    for (const socket of Object.values(this.#server.clients)) {
      run(socket.disconnect(CLOSE_RESTART, 'The server is restarting'));
    }
  }

  /** Ends what is still connected; resolves when the server is closed. */
  async close(): Promise<void> {
    clearInterval(this.#statsTimer);
    await this.#server.close();
  }

  /** Every action of a client passes here first: what is not explicitly let through is refused. */
  #guard(): void {
    const server = this.#server;
    // Called once per socket, so what it holds belongs to that socket alone.
    server.setMiddleware(server.MIDDLEWARE_INBOUND, async (stream) => {
      const burstAllowance = new TokenBucket(300, 150);
      const allowance = new TokenBucket(40, 10);
      for await (const action of stream) {
        try {
          switch (action.type) {
            case action.SUBSCRIBE:
              allowance.take();
              this.#checkSubscribe(action.socket, action.channel);
              action.allow();
              break;
            case action.PUBLISH_IN:
              (action.channel === BURST_CHANNEL ? burstAllowance : allowance).take();
              action.allow({ data: this.#admitPublish(action.socket, action.channel, action.data) });
              break;
            case action.INVOKE:
              allowance.take();
              if (!this.#procedures.has(action.procedure)) {
                throw new Refusal('UnknownProcedureError', 'There is no such procedure.');
              }
              action.allow();
              break;
            case action.AUTHENTICATE:
              action.allow();
              break;
            default:
              throw new Refusal('ForbiddenError', 'This application does not take that.');
          }
        } catch (error) {
          action.block(error);
        }
      }
    });
  }

  #checkSubscribe(socket: AGServerSocket, name: string): void {
    const channel = parseChannel(name);
    if (channel === null) throw new Refusal('ForbiddenError', 'There is no such channel.');
    if (channel.kind === 'room' || channel.kind === 'presence') {
      checkRoomAccess(channel.room, memberName(socket.authToken) !== null);
    }
  }

  /** Gives what is published in place of what the client sent. */
  #admitPublish(socket: AGServerSocket, name: string, data: unknown): unknown {
    const channel = parseChannel(name);
    if (channel?.kind === 'burst') {
      this.#published += 1;
      return null;
    }
    if (channel?.kind !== 'room') throw new Refusal('ForbiddenError', 'Only the server publishes here.');
    if (!socket.isSubscribed(name))
      throw new Refusal('ForbiddenError', 'Join the room before you write in it.');
    const message = stampMessage(data, socket.authToken);
    this.#history.add(channel.room, message);
    this.#published += 1;
    return message;
  }

  #watch(): void {
    const server = this.#server;
    run(each(server.listener('connection'), ({ socket }) => this.#serve(socket)));
    run(
      each(server.listener('subscription'), ({ socket, channel }) => {
        const parsed = parseChannel(channel);
        if (parsed?.kind === 'room')
          this.#publishCount(parsed.room, this.#presence.enter(parsed.room, socket.id));
      }),
    );
    run(
      each(server.listener('unsubscription'), ({ socket, channel }) => {
        const parsed = parseChannel(channel);
        if (parsed?.kind === 'room')
          this.#publishCount(parsed.room, this.#presence.leave(parsed.room, socket.id));
      }),
    );
    run(
      each(server.listener('deauthentication'), ({ socket }) => {
        for (const channel of [roomChannel(MEMBERS_ROOM), presenceChannel(MEMBERS_ROOM)]) {
          if (socket.isSubscribed(channel)) run(socket.kickOut(channel, 'You logged out.'));
        }
      }),
    );
  }

  #serve(socket: AGServerSocket): void {
    for (const [name, procedure] of this.#procedures) {
      run(
        each(socket.procedure(name), async (request) => {
          try {
            request.end(await procedure(socket, request.data));
          } catch (error) {
            request.error(error);
          }
        }),
      );
    }
  }

  #publishCount(room: string, count: number): void {
    run(this.#server.exchange.transmitPublish(presenceChannel(room), { count }));
  }

  #publishStats(): void {
    const rooms = SUGGESTED_ROOMS.map((room) => [room, this.#presence.count(room)] as const);
    const stats = {
      published: this.#published,
      clients: this.#server.clientsCount,
      upSeconds: Math.floor((performance.now() - this.#startedAt) / 1000),
      rooms: Object.fromEntries(rooms),
    };
    this.#published = 0;
    run(this.#server.exchange.transmitPublish(STATS_CHANNEL, stats));
  }
}

async function each<T>(stream: AsyncIterable<T>, consume: (item: T) => unknown): Promise<void> {
  for await (const item of stream) await consume(item);
}

/** Lets a task run on its own; one that fails is reported instead of ending the process. */
function run(task: Promise<unknown>): void {
  task.catch((error: unknown) => console.error(error));
}
