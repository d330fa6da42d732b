import { collected, deferred, EventLog, startServer, turn, until } from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import type { ClientAuthEngine } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

const authKey = 'a secret of at least thirty-two bytes';

function sign(name: string, secondsLeft: number): string {
  return jwt.sign({ name, exp: Math.floor(Date.now() / 1000) + secondsLeft }, authKey);
}

function keeping(kept: string): ClientAuthEngine & { kept: string } {
  return {
    kept,
    async saveToken(_name, token) {
      this.kept = token;
    },
    removeToken: async () => null,
    async loadToken() {
      return this.kept;
    },
  };
}

describe('getToken()', () => {
  test('is asked before the token expires, and the client stays authenticated', async () => {
    const { port, server } = await startServer({ authKey });
    const renewed = sign('second', 600);
    const authEngine = keeping(sign('first', 3));
    const client = (await scriptedServer()).client({ port, authEngine, getToken: () => renewed });
    const log = new EventLog().record(client, ['authenticate', 'deauthenticate', 'disconnect']);
    await log.times('authenticate', 2);
    expect([client.authToken?.['name'], authEngine.kept]).toEqual(['second', renewed]);
    expect(Object.values(server.clients).map((socket) => socket.authToken?.['name'])).toEqual(['second']);
    expect(log.names).toEqual(['authenticate', 'authenticate']);
  });

  test('is asked instead of showing an expired token, and what it gives is kept', async () => {
    const { port } = await startServer({ authKey });
    const authEngine = keeping(sign('old', -10));
    const renewed = sign('new', 600);
    const client = (await scriptedServer()).client({ port, authEngine, getToken: async () => renewed });
    await until(() => client.authState === 'authenticated');
    await until(() => authEngine.kept === renewed);
    expect(client.authToken?.['name']).toBe('new');
  });

  test('that fails is an error event, and is asked again while the token lasts', async () => {
    const { port } = await startServer({ authKey });
    let asked = 0;
    const client = (await scriptedServer()).client({
      port,
      authEngine: keeping(sign('first', 4)),
      getToken: () => {
        asked += 1;
        if (asked === 1) throw new Error('unreachable');
        return sign('second', 600);
      },
    });
    const errors = collected(client.listener('error'));
    await until(() => client.authToken?.['name'] === 'second', 6000);
    expect(asked).toBe(2);
    expect(errors.map(({ error }) => error)).toMatchObject([
      { name: 'AuthError', message: 'The token could not be renewed', cause: { message: 'unreachable' } },
    ]);
  });

  test('is not asked while nobody is logged in', async () => {
    const { port } = await startServer({ authKey });
    let asked = 0;
    const client = (await scriptedServer()).client({
      port,
      getToken: () => {
        asked += 1;
        return null;
      },
    });
    await until(() => client.state === 'open');
    expect(asked).toBe(0);
  });
});

test('a token that was being renewed for one server is not shown to another', async () => {
  const [one, other] = [await startServer({ authKey }), await startServer({ authKey })];
  const shown: unknown[] = [];
  other.server.setMiddleware(other.server.MIDDLEWARE_INBOUND_RAW, async (stream) => {
    for await (const action of stream) {
      shown.push(action.data);
      action.allow();
    }
  });
  const asked = deferred();
  const renewed = deferred<string>();
  const getToken = (): Promise<string> => {
    asked.resolve();
    return renewed.promise;
  };
  const token = sign('of one', 2);
  const authEngine: ClientAuthEngine = {
    saveToken: async () => {},
    removeToken: async () => null,
    loadToken: async (name) => (name === `socketcluster.authToken.127.0.0.1:${one.port}` ? token : null),
  };
  const client = (await scriptedServer()).client({ port: one.port, authEngine, getToken });
  await asked.promise;
  client.connect({ port: other.port });
  renewed.resolve(sign('renewed for one', 600));
  await until(() => client.state === 'open');
  void client.transmit('fence');
  await until(() => shown.length >= 2);
  await turn();
  expect(shown.filter((frame) => /#authenticate|eyJ/.test(String(frame)))).toEqual([]);
});
