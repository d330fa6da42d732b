/** Compiled with the tests and never run: what the types of this package allow and refuse. */
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

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Same<A, B>): void {}

export function packetsAreNarrowedByKind(packet: Packet): void {
  // @ts-expect-error -- a response has no event
  void packet.event;
  switch (packet.kind) {
    case 'event':
      same<typeof packet.cid, number | undefined>(true);
      same<typeof packet.data, unknown>(true);
      return;
    case 'response':
      same<typeof packet.rid, number>(true);
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
  same<ReturnType<typeof parsePacket>, Packet>(true);
  parsePacket(value);
}

export function errorsAreNarrowedByName(error: AuthTokenExpiredError | BadConnectionError): void {
  if (error.name === 'BadConnectionError') {
    same<typeof error.code, number>(true);
    same<typeof error.reason, string>(true);
  } else {
    same<typeof error.expiry, Date | number | string>(true);
  }
}

export function errorsTakeTheirFieldsInOrder(): void {
  new BadConnectionError('m', 'disconnect');
  new BadConnectionError('m', 'disconnect', 4000, 'r', { cause: 1 });
  const error = new AuthTokenInvalidError('m', { cause: 1 });
  error.isBadToken = true;
  // @ts-expect-error -- an expiry belongs to it
  new AuthTokenExpiredError('m');
  // @ts-expect-error -- the message comes first
  new BadConnectionError(4000);
}

interface Account extends AuthToken {
  readonly user: string;
}

export function tokensMayHaveClaimsOfTheirOwn(account: Account): void {
  same<ReturnType<typeof isTokenExpired>, boolean>(true);
  isTokenExpired(account);
  isTokenExpired(null, 5);
  same<Account['exp'], number | undefined>(true);
  same<AuthToken['anything'], unknown>(true);
}

class Socket extends RpcHost<{ connect: { id: string } }> {
  sendObject(_object: unknown): void {}
}

export async function requestsKnowTheirSocketAndData(socket: Socket): Promise<void> {
  for await (const request of socket.procedure<{ name: string }>('greet')) {
    same<typeof request.data, { name: string }>(true);
    request.socket satisfies Socket;
    request.end({ ok: true });
    request.error(new Error('no'));
  }
  for await (const request of socket.procedure('greet')) same<typeof request.data, unknown>(true);
  for await (const data of socket.receiver('greet')) same<typeof data, unknown>(true);
  for await (const data of socket.receiver<number>('count')) same<typeof data, number>(true);
  const { id } = await socket.listener('connect').once();
  same<typeof id, string>(true);
}

export function requestsNeedSomewhereToSend(): void {
  new AGRequest(new Socket(), 1, 'greet', undefined);
  // @ts-expect-error -- this cannot send
  new AGRequest({}, 1, 'greet', undefined);
}

export async function channelsAreTypedIterables(client: ChannelClient): Promise<void> {
  const channel = new AGChannel<number>('a', client, new ChannelStreams());
  for await (const message of channel) same<typeof message, number>(true);
  same<typeof AGChannel.SUBSCRIBED, 'subscribed'>(true);
  same<typeof channel.PENDING, 'pending'>(true);
  const failure = await channel.listener('subscribeFail').once();
  same<typeof failure.error, unknown>(true);
  const own = await channel.listener<{ x: 1 }>('own').once();
  same<typeof own.x, 1>(true);
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
  new Deadline((owner: number) => void owner, socket);
}

export function codecsMayBeBinary(): void {
  const binary: CodecEngine = { encode: () => new Uint8Array(), decode: (message) => message };
  same<ReturnType<typeof binary.decode>, unknown>(true);
  same<ReturnType<typeof jsonCodec.encode>, string | undefined>(true);
  // @ts-expect-error -- a number is no frame
  const wrong: CodecEngine = { encode: () => 5, decode: (message) => message };
  void wrong;
}

export function reservedEventsHaveTypedPayloads(): void {
  same<ReservedEventData['#unsubscribe'], string>(true);
  same<ReservedEventData['#publish']['channel'], string>(true);
}
