/** What is under way when something else is decided: the later decision holds, at both ends. */
import { deferred, until } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../src/index.js';
import { scriptedServer } from './scripted-server.js';

/** A token that nobody verifies. */
const TOKEN = `x.${btoa(JSON.stringify({ user: 'ada' }))}.x`;

/** A clock that a test sets forward, as sleep does. */
function sleepingClock(): { readonly now: () => number; sleep(ms: number): void } {
  let slept = 0;
  return {
    now: () => Date.now() + slept,
    sleep: (ms) => {
      slept += ms;
    },
  };
}

describe('a logout', () => {
  test('forgets the token where it was kept, although another auth engine comes right behind', async () => {
    const removed: string[] = [];
    const engine = (name: string) => ({
      saveToken: async () => {},
      loadToken: async () => null,
      removeToken: async () => void removed.push(name),
    });
    const server = await scriptedServer();
    const client = server.client({ authEngine: engine('first') });
    await until(() => client.state === 'open');
    const logout = client.deauthenticate();
    client.auth = engine('second');
    await logout;
    expect(removed).toEqual(['first']);
  });

  test('wins over a login whose answer comes behind it', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const connection = await server.connection();
    await until(() => client.state === 'open');
    const login = client.authenticate(TOKEN).catch((error: unknown) => error);
    const { cid } = await connection.first('#authenticate');
    const logout = client.deauthenticate();
    await connection.first('#removeAuthToken');
    connection.send({ rid: cid, data: { isAuthenticated: true, authError: null } });

    expect(await login).toMatchObject({ name: 'AbortError' });
    await logout;
    expect([client.authState, client.signedAuthToken]).toEqual(['unauthenticated', null]);
    expect(await client.auth.loadToken(client.authTokenName)).toBeNull();
    expect(connection.of('#removeAuthToken')).toHaveLength(1);
  });

  test('takes back a login that waits for a connection', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client();
    const login = client.authenticate(TOKEN).catch((error: unknown) => error);
    const logout = client.deauthenticate();
    void client.transmit('fence');
    const connection = await server.connection();
    connection.send({ rid: (await connection.first('#handshake')).cid, data: { id: 'x' } });
    await connection.first('fence');

    expect(await login).toMatchObject({ name: 'AbortError', delivery: 'not-sent' });
    await logout;
    expect(connection.packets.map(({ event }) => event)).toEqual(['#handshake', 'fence']);
  });

  test('wins over the token that a handshake has shown already', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const client = server.client({ autoConnect: false });
    await client.auth.saveToken(client.authTokenName, TOKEN, {});
    client.connect();
    const connection = await server.connection();
    const { cid, data } = await connection.first('#handshake');
    expect(data).toMatchObject({ authToken: TOKEN });
    await client.deauthenticate();
    connection.send({ rid: cid, data: { id: 'x', pingTimeout: 20_000, isAuthenticated: true } });
    await until(() => client.state === 'open');

    expect(client.authState).toBe('unauthenticated');
    await connection.first('#removeAuthToken');
    expect(await client.auth.loadToken(client.authTokenName)).toBeNull();
  });

  test('does not outlast a login that is asked for behind it', async () => {
    const server = await scriptedServer();
    const client = server.client();
    const connection = await server.connection();
    await until(() => client.state === 'open');
    await client.deauthenticate();
    const login = client.authenticate(TOKEN);
    const { cid } = await connection.first('#authenticate');
    connection.send({ rid: cid, data: { isAuthenticated: true, authError: null } });

    expect(await login).toMatchObject({ isAuthenticated: true });
    expect(client.authToken).toEqual({ user: 'ada' });
  });
});

describe('a channel that is left and joined again', () => {
  test('is left at the server too when a kick-out of before arrives in between', async () => {
    const server = await scriptedServer({ answersSubscribe: false });
    const client = server.client();
    client.subscribe('room');
    const connection = await server.connection();
    connection.send({ rid: (await connection.first('#subscribe')).cid });
    await until(() => client.isSubscribed('room'));
    client.unsubscribe('room');
    client.subscribe('room');
    connection.send({ event: '#kickOut', data: { channel: 'room' } });
    await until(() => connection.of('#unsubscribe').length === 2);

    expect(client.subscriptions(true)).toEqual([]);
    expect(connection.packets.map(({ event }) => event)).toEqual([
      '#handshake',
      '#subscribe',
      '#unsubscribe',
      '#subscribe',
      '#unsubscribe',
    ]);
  });

  test('on a connection that is stale, is not left on the next one', async () => {
    const server = await scriptedServer();
    const clock = sleepingClock();
    const client = server.client({ environment: { now: clock.now } });
    client.subscribe('room');
    await until(() => client.isSubscribed('room'));
    clock.sleep(30_000);
    client.unsubscribe('room');
    client.subscribe('room');
    void client.transmit('wake up');
    const next = await server.connection(1);
    await next.first('wake up');
    await until(() => client.isSubscribed('room'));

    expect(next.packets.map(({ event }) => event)).toEqual(['#handshake', '#subscribe', 'wake up']);
  });
});

describe('a call', () => {
  test('on a connection that is stale is made once, on the next one', async () => {
    const server = await scriptedServer();
    const clock = sleepingClock();
    const client = server.client({ environment: { now: clock.now } });
    const first = await server.connection();
    await until(() => client.state === 'open');
    clock.sleep(30_000);
    const answered = client.invoke('add', [1, 2]);
    const next = await server.connection(1);
    const { cid } = await next.first('add');
    expect(cid).toBeGreaterThan(0);
    next.send({ rid: cid, data: 3 });

    expect(await answered).toBe(3);
    expect([first.of('add').length, next.of('add').length]).toEqual([0, 1]);
  });
});

/** The timers of a client, counted. */
function countedTimers(): {
  readonly pending: Set<unknown>;
  readonly environment: Pick<Environment, 'setTimeout' | 'clearTimeout'>;
} {
  const pending = new Set<unknown>();
  return {
    pending,
    environment: {
      setTimeout: (fn, ms) => {
        const timer = setTimeout(() => {
          pending.delete(timer);
          fn();
        }, ms);
        pending.add(timer);
        return timer;
      },
      clearTimeout: (timer) => {
        clearTimeout(timer as NodeJS.Timeout);
        pending.delete(timer);
      },
    },
  };
}

describe('close()', () => {
  test('waits for a connection that was replaced just before, too', async () => {
    const server = await scriptedServer();
    const { pending, environment } = countedTimers();
    const client = server.client({ environment });
    const first = await server.connection();
    await until(() => client.state === 'open');
    // Its closing handshake is not answered.
    first.socket.pause();
    client.reconnect();
    await server.connection(1);
    await client.close();

    expect(pending.size).toBe(0);
  });

  test('while a fresh token is got connects nobody, and leaves no timer, when the token comes', async () => {
    const server = await scriptedServer({ answersHandshake: false });
    const token = deferred<string>();
    const asked = deferred();
    const { pending, environment } = countedTimers();
    const getToken = (): Promise<string> => {
      asked.resolve();
      return token.promise;
    };
    const client = server.client({ getToken, environment });
    const connection = await server.connection();
    await connection.first('#handshake');
    const exp = Math.floor(Date.now() / 1000) + 2;
    connection.send([
      { rid: 1, data: { id: 'x', pingTimeout: 20_000, isAuthenticated: false } },
      { event: '#setAuthToken', data: { token: `x.${btoa(JSON.stringify({ exp }))}.x` } },
    ]);
    await asked.promise;
    await client.close();
    token.resolve(TOKEN);
    await token.promise;
    await new Promise(setImmediate);

    expect(client.state).toBe('closed');
    expect(server.connections).toHaveLength(1);
    expect(pending.size).toBe(0);
  });
});
