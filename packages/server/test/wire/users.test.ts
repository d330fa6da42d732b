import type { AGServerSocket } from '@socketcluster-ts/server';
import {
  type Connected,
  EventLog,
  nextValue,
  ours,
  type StartedServer,
  startServer,
  turn,
  until,
  type WireClient,
} from '@socketcluster-ts/testkit';
import { describe, expect, vi } from 'vitest';

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

async function openAs({ open, sign }: StartedServer, claims: Record<string, unknown>): Promise<Connected> {
  return open({ authToken: await sign(claims) });
}

function isEvent(name: string): (packet: { event?: string }) => boolean {
  return ({ event }) => event === name;
}

describe('the sockets of a user', () => {
  ours('are those whose token names it, from the handshake to the close', async () => {
    const started = await startServer();
    const { server } = started;
    const first = await openAs(started, { sub: 'ann' });
    const second = await openAs(started, { sub: 'ann' });
    const other = await openAs(started, { sub: 'bob' });
    await started.open();
    expect(server.users('ann').sockets()).toEqual([first.socket, second.socket]);
    expect(server.users('bob').sockets()).toEqual([other.socket]);
    expect(server.users('carl').sockets()).toEqual([]);
    expect(server.usersCount).toBe(2);

    const closures = new EventLog().record(server, ['closure']);
    first.client.terminate();
    await closures.first('closure');
    expect(server.users('ann').sockets()).toEqual([second.socket]);
    await second.socket.disconnect();
    expect(server.users('ann').sockets()).toEqual([]);
    expect(server.usersCount).toBe(1);
  });

  ours(
    'change with #authenticate, setAuthToken(), a logout of the client, and deauthenticate()',
    async () => {
      const { server, open, sign } = await startServer();
      const { client, socket } = await open();
      const namesOf = (): string[] =>
        ['ann', 'bob', 'carl'].filter((id) => server.users(id).sockets()[0] === socket);
      await client.call('#authenticate', await sign({ sub: 'ann' }));
      expect(namesOf()).toEqual(['ann']);
      await client.call('#authenticate', await sign({ sub: 'bob' }));
      expect(namesOf()).toEqual(['bob']);
      await client.call('#authenticate', 'nonsense');
      expect(namesOf()).toEqual([]);
      const signed = socket.setAuthToken({ sub: 'carl' });
      expect(namesOf()).toEqual(['carl']);
      await signed;
      expect(namesOf()).toEqual(['carl']);
      client.transmit('#removeAuthToken');
      await client.fence();
      expect(namesOf()).toEqual([]);
      await socket.setAuthToken({}, { subject: 'ann' });
      expect(namesOf()).toEqual(['ann']);
      await socket.deauthenticate();
      expect(namesOf()).toEqual([]);
      expect(server.usersCount).toBe(0);
    },
  );

  ours('lose a socket whose token expires', async () => {
    const { server, open } = await startServer();
    const { socket } = await open();
    const gone = nextValue(socket.listener('deauthenticate'));
    await socket.setAuthToken({ sub: 'ann', exp: inSeconds(1) });
    expect(server.users('ann').sockets()).toEqual([socket]);
    await gone;
    expect(server.users('ann').sockets()).toEqual([]);
  });

  ours('do not include one that was closed while its token was being signed', async () => {
    const { server, open } = await startServer();
    const { socket } = await open();
    const sign = server.auth.signToken.bind(server.auth);
    let release = (): void => {};
    vi.spyOn(server.auth, 'signToken').mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return sign(...args);
    });
    const setting = socket.setAuthToken({ sub: 'ann' });
    expect(server.users('ann').sockets()).toEqual([socket]);
    await socket.disconnect();
    expect(server.users('ann').sockets()).toEqual([]);
    release();
    await setting;
    await socket.setAuthToken({ sub: 'ann' });
    expect(server.users('ann').sockets()).toEqual([]);
    expect(server.usersCount).toBe(0);
  });

  ours.each([
    ['sub', { sub: 'ann' }, 'ann'],
    ['sub', { sub: 7 }, '7'],
    ['userId', { userId: 7, sub: 'ann' }, 7],
    ['userId', { userId: '7' }, 7],
    ['userId', { userId: 0 }, 0],
    ['https://example.com/user', { 'https://example.com/user': 'ann' }, 'ann'],
  ] as const)('are found by the claim %s of %j', async ([userClaim, claims, id]) => {
    const started = await startServer({ userClaim });
    const { socket } = await openAs(started, claims);
    expect(started.server.users(id).sockets()).toEqual([socket]);
  });

  ours.each([['toString'], ['__proto__']])(
    'are nobody by a claim that every object inherits: %s',
    async ([userClaim]) => {
      const started = await startServer({ userClaim });
      await openAs(started, { sub: 'ann' });
      expect(started.server.usersCount).toBe(0);
    },
  );

  ours.each([
    [{}],
    [{ sub: '' }],
    [{ sub: null }],
    [{ sub: ['ann'] }],
    [{ sub: { id: 1 } }],
    [{ sub: true }],
  ])('are nobody for the claims %j', async ([claims]) => {
    const started = await startServer();
    const { socket } = await openAs(started, claims ?? {});
    expect(socket.authState).toBe('authenticated');
    expect(started.server.usersCount).toBe(0);
  });

  ours.each([
    ['', '""'],
    [Number.NaN, 'null'],
    [Infinity, 'null'],
    [null, 'object'],
    [undefined, 'undefined'],
  ])('are not looked for under %j', async ([id, shown]) => {
    const { server } = await startServer();
    expect(() => server.users(id as string)).toThrow(
      `The id of a user must be text that is not empty or a finite number - Got ${shown}`,
    );
  });
});

describe('server.users(id)', () => {
  async function annTwiceAndBob(): Promise<{
    started: StartedServer;
    ann: readonly [Connected, Connected];
    bob: Connected;
  }> {
    const started = await startServer();
    const ann = [await openAs(started, { sub: 'ann' }), await openAs(started, { sub: 'ann' })] as const;
    return { started, ann, bob: await openAs(started, { sub: 'bob' }) };
  }

  ours('transmits to every tab of the user, and to nobody else', async () => {
    const { started, ann, bob } = await annTwiceAndBob();
    expect(await started.server.users('ann').transmit('news', { unread: 3 })).toBe(2);
    for (const { client } of ann) {
      expect(await client.next(isEvent('news'))).toEqual({ event: 'news', data: { unread: 3 } });
    }
    await bob.client.fence();
    expect(bob.client.received.filter(isEvent('news'))).toEqual([]);
    expect(await started.server.users('carl').transmit('news', 1)).toBe(0);
  });

  ours('deauthenticates every tab, and the clients are told', async () => {
    const { started, ann, bob } = await annTwiceAndBob();
    expect(await started.server.users('ann').deauthenticate()).toBe(2);
    for (const { client, socket } of ann) {
      await client.next(isEvent('#removeAuthToken'));
      expect(socket.authState).toBe('unauthenticated');
    }
    expect(bob.socket.authState).toBe('authenticated');
    expect(await started.server.users('ann').deauthenticate()).toBe(0);
  });

  ours('waits with rejectOnFailedDelivery until all have confirmed, and fails when one cannot', async () => {
    const { started, ann } = await annTwiceAndBob();
    const removing = started.server.users('ann').deauthenticate({ rejectOnFailedDelivery: true });
    const refused = expect(removing).rejects.toMatchObject({ name: 'BadConnectionError' });
    const asked = await ann[1].client.next(isEvent('#removeAuthToken'));
    ann[0].client.terminate();
    ann[1].client.send({ rid: asked.cid });
    await refused;
    expect(ann[1].socket.authState).toBe('unauthenticated');
  });

  ours('kicks out of the channels that a tab is subscribed to', async () => {
    const { started, ann, bob } = await annTwiceAndBob();
    const subscribe = async (client: WireClient, channel: string): Promise<void> => {
      await client.call('#subscribe', { channel });
    };
    await subscribe(ann[0].client, 'tea');
    await subscribe(ann[0].client, 'cake');
    await subscribe(bob.client, 'tea');
    const users = started.server.users('ann');
    expect(await users.kickOut('tea', 'Closed')).toBe(1);
    expect(await ann[0].client.next(isEvent('#kickOut'))).toEqual({
      event: '#kickOut',
      data: { channel: 'tea', message: 'Closed' },
    });
    expect(ann[0].socket.subscriptions()).toEqual(['cake']);
    expect(bob.socket.subscriptions()).toEqual(['tea']);
    expect(await users.kickOut(['tea', 'cake'])).toBe(1);
    expect(await users.kickOut()).toBe(0);
    await ann[1].client.fence();
    expect(ann[1].client.received.filter(isEvent('#kickOut'))).toEqual([]);
  });

  ours('kicks out of everything without a name', async () => {
    const { started, ann } = await annTwiceAndBob();
    for (const { client } of ann) await client.call('#subscribe', { channel: 'tea' });
    await ann[1].client.call('#subscribe', { channel: 'cake' });
    expect(await started.server.users('ann').kickOut()).toBe(2);
    expect(ann.map(({ socket }) => socket.subscriptions())).toEqual([[], []]);
  });

  ours('takes a client that leaves at the same moment for kicked out', async () => {
    const { started, ann } = await annTwiceAndBob();
    await ann[0].client.call('#subscribe', { channel: 'tea' });
    const unsubscribing = vi.spyOn(started.server.brokerEngine, 'unsubscribeSocket');
    unsubscribing.mockImplementationOnce(async (socket, channel) => {
      await turn();
      await started.server.brokerEngine.unsubscribeSocket(socket, channel);
    });
    const left = ann[0].client.call('#unsubscribe', 'tea');
    await until(() => unsubscribing.mock.calls.length > 0);
    expect(await started.server.users('ann').kickOut('tea')).toBe(1);
    expect(await left).not.toHaveProperty('error');
  });

  ours('disconnects every tab with the code and reason', async () => {
    const { started, ann, bob } = await annTwiceAndBob();
    expect(await started.server.users('ann').disconnect(4100, 'Banned')).toBe(2);
    for (const { client } of ann) expect(await client.ended()).toEqual({ code: 4100, reason: 'Banned' });
    expect(bob.client.closeInfo).toBeUndefined();
    expect(started.server.usersCount).toBe(1);
  });

  ours('acts on all even when it fails for one', async () => {
    const { started, ann } = await annTwiceAndBob();
    const broken = new Error('broken by the application');
    ann[0].socket.disconnect = () => {
      throw broken;
    };
    await expect(started.server.users('ann').disconnect(4100)).rejects.toBe(broken);
    expect(await ann[1].client.ended()).toMatchObject({ code: 4100 });
  });

  ours('acts on those who are there at the call, not when it was made', async () => {
    const started = await startServer();
    const ann = started.server.users('ann');
    const { socket } = await openAs(started, { sub: 'ann' });
    expect(ann.sockets()).toEqual([socket] satisfies AGServerSocket[]);
    ann.sockets().length = 0;
    expect(ann.sockets()).toHaveLength(1);
  });
});

ours.each([[''], [7], [['sub']], [true]])('userClaim: %j is refused by name', async ([userClaim]) => {
  await expect(startServer({ userClaim: userClaim as string })).rejects.toThrow(
    /The userClaim option must be the name of a claim, not empty - Got/,
  );
});
