import { type Connected, ours, type StartedServer, startServer, turn } from '@socketcluster-ts/testkit';
import fc from 'fast-check';
import { expect } from 'vitest';

const CLIENTS = 4;
/** What the claim may hold, and whom it names. */
interface Claim {
  readonly sub: unknown;
  readonly user: string | undefined;
}

const CLAIMS: readonly Claim[] = [
  { sub: 'ann', user: 'ann' },
  { sub: 'bob', user: 'bob' },
  { sub: 7, user: '7' },
  { sub: '7', user: '7' },
  { sub: '', user: undefined },
  { sub: undefined, user: undefined },
];
const IDS = ['ann', 'bob', '7'];

const ACTS = [
  'authenticate',
  'set token',
  'set two tokens at once',
  'show nonsense',
  'log out',
  'deauthenticate',
  'deauthenticate while signing',
  'expire',
  'close by the client',
  'close by the server',
  'close while signing',
  'connect again',
] as const;

interface Command {
  readonly act: (typeof ACTS)[number] | 'deauthenticate user' | 'disconnect user';
  readonly client: number;
  readonly claim: Claim;
  readonly id: string;
}

const COMMANDS: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    act: fc.oneof(
      { weight: 10, arbitrary: fc.constantFrom(...ACTS) },
      { weight: 1, arbitrary: fc.constantFrom('deauthenticate user' as const, 'disconnect user' as const) },
    ),
    client: fc.nat({ max: CLIENTS - 1 }),
    claim: fc.constantFrom(...CLAIMS),
    id: fc.constantFrom(...IDS),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
);

/** The clients of one server, and to whom each belongs. */
class World {
  readonly #started: StartedServer;
  readonly #peers: (Connected | undefined)[] = [];
  readonly #users: (string | undefined)[] = [];

  constructor(started: StartedServer) {
    this.#started = started;
  }

  async run(commands: readonly Command[]): Promise<void> {
    for (let client = 0; client < CLIENTS; client += 1) this.#peers[client] = await this.#started.open();
    for (const command of commands) {
      await this.#do(command);
      this.#check();
    }
  }

  async #do({ act, client, claim, id }: Command): Promise<void> {
    const { server, sign, open } = this.#started;
    const peer = this.#peers[client];
    if (act === 'connect again') {
      if (peer !== undefined) return;
      this.#peers[client] = await open({ authToken: await sign({ sub: claim.sub }) });
      this.#users[client] = claim.user;
    } else if (act === 'deauthenticate user') {
      expect(await server.users(id).deauthenticate()).toBe(this.#users.filter((each) => each === id).length);
      for (const [index, each] of this.#users.entries()) if (each === id) this.#users[index] = undefined;
    } else if (act === 'disconnect user') {
      await server.users(id).disconnect();
      for (const [index, each] of this.#users.entries()) if (each === id) this.#gone(index);
    } else if (peer !== undefined) {
      await this.#act(act, peer, client, claim);
    }
  }

  async #act(
    act: Exclude<Command['act'], 'connect again' | 'deauthenticate user' | 'disconnect user'>,
    { client, socket }: Connected,
    index: number,
    { sub, user }: Claim,
  ): Promise<void> {
    const claims = { sub };
    switch (act) {
      case 'authenticate':
        await client.call('#authenticate', await this.#started.sign(claims));
        this.#users[index] = user;
        break;
      case 'set token':
        await socket.setAuthToken(claims);
        this.#users[index] = user;
        break;
      case 'set two tokens at once':
        await Promise.all([socket.setAuthToken({ sub: 'ann' }), socket.setAuthToken(claims)]);
        this.#users[index] = user;
        break;
      case 'show nonsense':
        await client.call('#authenticate', 'nonsense');
        this.#users[index] = undefined;
        break;
      case 'log out':
        client.transmit('#removeAuthToken');
        await client.fence();
        this.#users[index] = undefined;
        break;
      case 'deauthenticate':
        await socket.deauthenticate();
        this.#users[index] = undefined;
        break;
      case 'deauthenticate while signing':
        await Promise.all([socket.setAuthToken(claims), socket.deauthenticate()]);
        this.#users[index] = undefined;
        break;
      case 'expire':
        await socket.setAuthToken({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 });
        await client.fence();
        this.#users[index] = undefined;
        break;
      case 'close by the client':
        client.terminate();
        while (socket.state !== 'closed') await turn();
        this.#gone(index);
        break;
      case 'close by the server':
        await socket.disconnect();
        this.#gone(index);
        break;
      case 'close while signing':
        await Promise.all([socket.setAuthToken(claims), socket.disconnect()]);
        this.#gone(index);
        break;
    }
  }

  #gone(index: number): void {
    this.#peers[index] = undefined;
    this.#users[index] = undefined;
  }

  #check(): void {
    const { server } = this.#started;
    for (const id of IDS) {
      const expected = this.#peers.filter((_, index) => this.#users[index] === id);
      const found = server.users(id).sockets();
      expect(new Set(found)).toEqual(new Set(expected.map((peer) => peer?.socket)));
      expect(found).toHaveLength(expected.length);
      for (const socket of found) expect(socket).toMatchObject({ state: 'open', authState: 'authenticated' });
    }
    expect(server.usersCount).toBe(new Set(this.#users.filter((id) => id !== undefined)).size);
  }
}

ours('whatever happens to tokens and sockets, a user has the sockets of the model', async () => {
  await fc.assert(
    fc.asyncProperty(COMMANDS, async (commands) => {
      await using started = await startServer();
      await new World(started).run(commands);
    }),
    { numRuns: 60 },
  );
});
