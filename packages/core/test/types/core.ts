/** Compiled with the tests and never run: what the types of this package allow and refuse. */
import { expectTypeOf } from 'vitest';
import {
  AGChannel,
  AGRequest,
  type AuthToken,
  AuthTokenExpiredError,
  AuthTokenInvalidError,
  BadConnectionError,
  type ChannelClient,
  ChannelStreams,
  type CodecEngine,
  Deadline,
  DeadlineQueue,
  isTokenExpired,
  jsonCodec,
  type Packet,
  parsePacket,
  type ReservedEventData,
  RpcHost,
} from '../../src/index.js';

export function packetsAreNarrowedByKind(packet: Packet): void {
  // @ts-expect-error -- a response has no event
  void packet.event;
  switch (packet.kind) {
    case 'event':
      expectTypeOf<typeof packet.cid>().toEqualTypeOf<number | undefined>();
      expectTypeOf<typeof packet.data>().toEqualTypeOf<unknown>();
      return;
    case 'response':
      expectTypeOf<typeof packet.rid>().toEqualTypeOf<number>();
      return;
    case 'raw':
      // @ts-expect-error -- a raw packet has no data
      void packet.data;
      return;
    default:
      packet satisfies never;
  }
}

export function packetsCannotBeChanged(packet: Packet): void {
  // @ts-expect-error -- read only
  if (packet.kind === 'event') packet.event = 'other';
}

export function anythingCanBeParsed(value: unknown): void {
  expectTypeOf<ReturnType<typeof parsePacket>>().toEqualTypeOf<Packet>();
  parsePacket(value);
}

export function errorsAreNarrowedByName(error: AuthTokenExpiredError | BadConnectionError): void {
  if (error.name === 'BadConnectionError') {
    expectTypeOf<typeof error.code>().toEqualTypeOf<number>();
    expectTypeOf<typeof error.reason>().toEqualTypeOf<string>();
  } else {
    expectTypeOf<typeof error.expiry>().toEqualTypeOf<Date | number | string>();
  }
}

export function errorsTakeTheirFieldsInOrder(): void {
  void new BadConnectionError('m', 'disconnect');
  void new BadConnectionError('m', 'disconnect', 4000, 'r', { cause: 1 });
  const error = new AuthTokenInvalidError('m', { cause: 1 });
  error.isBadToken = true;
  // @ts-expect-error -- an expiry belongs to it
  void new AuthTokenExpiredError('m');
  // @ts-expect-error -- the message comes first
  void new BadConnectionError(4000);
}

interface Account extends AuthToken {
  readonly user: string;
}

export function tokensMayHaveClaimsOfTheirOwn(account: Account): void {
  expectTypeOf<ReturnType<typeof isTokenExpired>>().toEqualTypeOf<boolean>();
  isTokenExpired(account);
  isTokenExpired(null, 5);
  expectTypeOf<Account['exp']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<AuthToken['anything']>().toEqualTypeOf<unknown>();
}

class Socket extends RpcHost<{ connect: { id: string } }> {
  sendObject(_object: unknown): void {}
}

export async function requestsKnowTheirSocketAndData(socket: Socket): Promise<void> {
  for await (const request of socket.procedure<{ name: string }>('greet')) {
    expectTypeOf<typeof request.data>().toEqualTypeOf<{ name: string }>();
    request.socket satisfies Socket;
    request.end({ ok: true });
    request.error(new Error('no'));
  }
  for await (const request of socket.procedure('greet'))
    expectTypeOf<typeof request.data>().toEqualTypeOf<unknown>();
  for await (const data of socket.receiver('greet')) expectTypeOf<typeof data>().toEqualTypeOf<unknown>();
  for await (const data of socket.receiver<number>('count'))
    expectTypeOf<typeof data>().toEqualTypeOf<number>();
  const { id } = await socket.listener('connect').once();
  expectTypeOf<typeof id>().toEqualTypeOf<string>();
}

export function requestsNeedSomewhereToSend(): void {
  void new AGRequest(new Socket(), 1, 'greet', undefined);
  // @ts-expect-error -- this cannot send
  void new AGRequest({}, 1, 'greet', undefined);
}

export async function channelsAreTypedIterables(client: ChannelClient): Promise<void> {
  const channel = new AGChannel<number>('a', client, new ChannelStreams());
  for await (const message of channel) expectTypeOf<typeof message>().toEqualTypeOf<number>();
  expectTypeOf<typeof AGChannel.SUBSCRIBED>().toEqualTypeOf<'subscribed'>();
  expectTypeOf<typeof channel.PENDING>().toEqualTypeOf<'pending'>();
  const failure = await channel.listener('subscribeFail').once();
  expectTypeOf<typeof failure.error>().toEqualTypeOf<unknown>();
  const own = await channel.listener<{ x: 1 }>('own').once();
  expectTypeOf<typeof own.x>().toEqualTypeOf<1>();
  // @ts-expect-error -- read only
  channel.state = 'subscribed';
  // @ts-expect-error -- read only
  channel.options = {};
  // @ts-expect-error -- no such option
  channel.subscribe({ wait: true });
}

export function deadlinesHandTheirOwnerOver(socket: Socket): void {
  const queue = new DeadlineQueue({ unref: true });
  const deadline = new Deadline((owner) => owner.sendObject(1), socket);
  queue.schedule(deadline, 5);
  queue.cancel(deadline);
  // @ts-expect-error -- not a function of that owner
  void new Deadline((owner: number) => void owner, socket);
}

export function codecsMayBeBinary(): void {
  const binary: CodecEngine = { encode: () => new Uint8Array(), decode: (message) => message };
  expectTypeOf<ReturnType<typeof binary.decode>>().toEqualTypeOf<unknown>();
  expectTypeOf<ReturnType<typeof jsonCodec.encode>>().toEqualTypeOf<string | undefined>();
  // @ts-expect-error -- a number is no frame
  const wrong: CodecEngine = { encode: () => 5, decode: (message) => message };
  void wrong;
}

export function reservedEventsHaveTypedPayloads(): void {
  expectTypeOf<ReservedEventData['#unsubscribe']>().toEqualTypeOf<string>();
  expectTypeOf<ReservedEventData['#publish']['channel']>().toEqualTypeOf<string>();
}
