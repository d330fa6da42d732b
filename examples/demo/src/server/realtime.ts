import type { Server } from 'node:http';
import { type AGServer, type AGServerSocket, attach } from '@socketcluster-ts/server';
import { type ChatMessage, contract, type DemoContract } from '../shared/contract.js';
import { MEMBERS_ROOM, SUGGESTED_ROOMS } from '../shared/rooms.js';
import { Presence } from './presence.js';
import { serveProcedures } from './procedures.js';
import { Refusal } from './refusal.js';
import { checkRoomAccess } from './room-access.js';
import { RoomHistory } from './room-history.js';
import { TokenBucket } from './token-bucket.js';

type DemoSocket = AGServerSocket<DemoContract>;

const STATS_INTERVAL_MS = 1000;
/** Close code "service restart": the page says so, and its client comes back by itself. */
const CLOSE_RESTART = 1012;

/** Owns the real-time half of the demo: the SocketCluster server, its rules, who is where, and the figures. */
export class Realtime {
  readonly #server: AGServer<DemoContract>;
  readonly #history: RoomHistory = new RoomHistory();
  readonly #presence: Presence = new Presence();
  readonly #statsTimer: NodeJS.Timeout;
  readonly #startedAt: number = performance.now();
  #published = 0;

  /** Attaches to `httpServer` and begins to publish figures each second. */
  constructor(httpServer: Server, authKey: string) {
    this.#server = attach(httpServer, { authKey, contract });
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

  /**
   * Every action of a client passes here: who may do it, and how often. Names and data are those of the contract by now;
   * what does not fit it was refused already.
   */
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
              (action.channel === 'burst' ? burstAllowance : allowance).take();
              action.allow({ data: this.#admitPublish(action.socket, action.channel, action.data) });
              break;
            case action.INVOKE:
            case action.TRANSMIT:
              allowance.take();
              action.allow();
              break;
            default:
              action.allow();
          }
        } catch (error) {
          action.block(error);
        }
      }
    });
  }

  #checkSubscribe(socket: DemoSocket, name: string): void {
    const channel = contract.parse(name);
    if (channel === undefined || !('room' in channel.parameters)) return;
    checkRoomAccess(channel.parameters.room, socket);
  }

  /** Gives what is published in place of what the client sent. */
  #admitPublish(socket: DemoSocket, name: string, data: unknown): unknown {
    const channel = contract.parse(name);
    if (channel?.template === 'burst') {
      this.#published += 1;
      return null;
    }
    if (channel?.template !== 'room/:room') {
      throw new Refusal('ForbiddenError', 'Only the server publishes here.');
    }
    if (!socket.isSubscribed(name)) {
      throw new Refusal('ForbiddenError', 'Join the room before you write in it.');
    }
    const { room } = channel.parameters;
    const claimed = data as ChatMessage;
    // Whoever lost the connection before the answer sends the message again: it is still one message.
    const known = this.#history.find(room, claimed.id);
    if (known !== undefined) return known;
    const member = socket.authToken !== null;
    const message = { ...claimed, name: socket.authToken?.name ?? claimed.name, member, at: Date.now() };
    this.#history.add(room, message);
    this.#published += 1;
    return message;
  }

  #watch(): void {
    const server = this.#server;
    void server.listener('connection').each(({ socket }) => this.#serve(socket));
    void server.listener('subscription').each(({ socket, channel }) => {
      const room = roomOf(channel);
      if (room !== null) this.#publishCount(room, this.#presence.enter(room, socket.id));
    });
    void server.listener('unsubscription').each(({ socket, channel }) => {
      const room = roomOf(channel);
      if (room !== null) this.#publishCount(room, this.#presence.leave(room, socket.id));
    });
    void server.listener('deauthentication').each(({ socket }) => {
      for (const template of ['room/:room', 'presence/:room', 'typing/:room'] as const) {
        const channel = contract.channel(template, { room: MEMBERS_ROOM });
        if (socket.isSubscribed(channel)) run(socket.kickOut(channel, 'You logged out.'));
      }
    });
  }

  #serve(socket: DemoSocket): void {
    serveProcedures(socket, this.#history);
    void socket.receiver('typing').each(({ room, name }) => {
      if (!socket.isSubscribed(contract.channel('room/:room', { room }))) return;
      const typing = { socketId: socket.id, name: socket.authToken?.name ?? name };
      run(this.#server.exchange.channel('typing/:room', { room }).transmitPublish(typing));
    });
  }

  #publishCount(room: string, count: number): void {
    run(this.#server.exchange.channel('presence/:room', { room }).transmitPublish({ count }));
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
    run(this.#server.exchange.transmitPublish('stats', stats));
  }
}

/** The room whose messages a channel carries; `null` for any other channel. */
function roomOf(channel: string): string | null {
  const parsed = contract.parse(channel);
  return parsed?.template === 'room/:room' ? parsed.parameters.room : null;
}

/** Lets a task run on its own; one that fails is reported instead of ending the process. */
function run(task: Promise<unknown>): void {
  task.catch((error: unknown) => console.error(error));
}
