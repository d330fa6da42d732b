import { collected, nextValue, type StartedServer, startServer, until } from '@socketcluster-ts/testkit';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { connectClient, createClient } from './client.js';
import { leaveOutWith } from './left-out.js';
import { storedToken } from './stored-token.js';

const authKey = 'a secret of at least thirty-two bytes';

/** What these tests read of any action; the constants are looked up on it as applications do. */
interface AnyAction {
  readonly type: string;
  readonly HANDSHAKE_WS: string;
  readonly HANDSHAKE_SC: string;
  readonly AUTHENTICATE: string;
  readonly request?: { readonly url?: string | undefined };
  readonly authToken?: unknown;
  allow(packet?: unknown): void;
  block(error?: unknown): void;
}

function use(
  started: StartedServer,
  line: 'handshake' | 'inbound',
  decide: (action: AnyAction) => void,
): void {
  started.server.setMiddleware(line, async (stream: AsyncIterable<unknown>) => {
    for await (const action of stream) decide(action as AnyAction);
  });
}

function failure(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

describe('the handshake line', () => {
  test('it sees the upgrade request and then the handshake, and allows both', async () => {
    const started = await startServer();
    const types: string[] = [];
    use(started, 'handshake', (action) => {
      types.push(action.type);
      expect(action.request?.url).toContain('/socketcluster/');
      action.allow();
    });
    const client = await connectClient(started);

    expect(types).toEqual(['handshakeWS', 'handshakeSC']);
    expect(client.state).toBe('open');
  });

  test('blocking the upgrade leaves no socket behind', async () => {
    const started = await startServer();
    use(started, 'handshake', (action) => {
      action.block(failure('ClosedError', 'We are closed'));
    });
    const handshakes = collected(started.server.listener('handshake'));
    const client = createClient(started, { autoReconnect: false });

    expect(await nextValue(client.listener('connectAbort'))).toMatchObject({ code: 1006 });
    expect(await started.warning()).toMatchObject({ name: 'ClosedError', message: 'We are closed' });
    expect(handshakes).toEqual([]);
    expect(started.server.pendingClientsCount).toBe(0);
  });

  test.each([
    ['4008 unless told otherwise', {}, 4008],
    ['the status code of the error', { statusCode: 4501 }, 4501],
  ])('blocking the handshake closes with %s', async (_what, fields, code) => {
    const started = await startServer();
    use(started, 'handshake', (action) => {
      if (action.type === action.HANDSHAKE_SC) action.block(failure('VersionError', 'Too old', fields));
      else action.allow();
    });
    const aborted = nextValue(started.server.listener('connectionAbort'));
    const client = createClient(started, { autoReconnect: false });
    const error = nextValue(client.listener('error'));

    expect(await nextValue(client.listener('connectAbort'))).toEqual({
      code,
      reason: 'VersionError: Too old',
    });
    expect(await error).toMatchObject({
      error: { name: 'VersionError', message: 'Too old', statusCode: code },
    });
    expect(await aborted).toMatchObject({ code });
    await until(() => started.server.pendingClientsCount === 0);
    expect(started.server.clientsCount).toBe(0);
  });

  // The published client keeps no code of a refusal without fields, and so does not try again after one.
  test('a handshake blocked with a string closes with 4008 all the same', async () => {
    leaveOutWith('the published server', 'closes with 1000');
    const started = await startServer();
    use(started, 'handshake', (action) => {
      if (action.type === action.HANDSHAKE_SC) action.block('not yet');
      else action.allow();
    });
    const aborted = nextValue(started.server.listener('connectionAbort'));
    const client = createClient(started);

    expect(await nextValue(client.listener('connectAbort'))).toMatchObject({ reason: 'not yet' });
    expect(await aborted).toMatchObject({ code: 4008 });
  });

  test('a delay of one client does not hold up another', async () => {
    const started = await startServer();
    const held: AnyAction[] = [];
    use(started, 'handshake', (action) => {
      if (action.type === action.HANDSHAKE_SC && action.request?.url?.includes('slow')) held.push(action);
      else action.allow();
    });
    const slow = createClient(started, { query: { pace: 'slow' } });
    await until(() => held.length === 1);
    const quick = await connectClient(started);

    expect([slow.state, quick.state]).toEqual(['connecting', 'open']);
    const connected = nextValue(slow.listener('connect'));
    held[0]?.allow();
    await connected;
    expect(slow.state).toBe('open');
  });

  test('a client that is not let in once gets in when it tries again', async () => {
    const started = await startServer();
    let attempts = 0;
    use(started, 'handshake', (action) => {
      if (action.type === action.HANDSHAKE_SC) attempts += 1;
      if (action.type === action.HANDSHAKE_SC && attempts < 3) action.block(failure('BusyError', 'Full'));
      else action.allow();
    });
    const client = await connectClient(started);

    expect(client.state).toBe('open');
    expect(attempts).toBe(3);
  });

  test('with `middlewareEmitFailures: false` a refusal raises no warning of its own', async () => {
    const started = await startServer({ middlewareEmitFailures: false });
    use(started, 'handshake', (action) => {
      if (action.type === action.HANDSHAKE_SC) action.block(failure('VersionError', 'Too old'));
      else action.allow();
    });
    const client = createClient(started, { autoReconnect: false });
    await nextValue(client.listener('connectAbort'));
    await started.warning((warning) => warning.name === 'SocketProtocolError');

    expect(started.warnings).not.toContainEqual(expect.objectContaining({ name: 'VersionError' }));
  });
});

describe('the authentication of the inbound line', () => {
  test('it sees the claims of a good token and allows it', async () => {
    const started = await startServer({ authKey });
    const seen: unknown[] = [];
    use(started, 'inbound', (action) => {
      if (action.type === action.AUTHENTICATE) seen.push(action.authToken);
      action.allow();
    });
    const token = jwt.sign({ user: 'ada' }, authKey);
    const client = await connectClient(started, { authEngine: storedToken(token) });
    await client.authenticate(token);

    expect(client.authState).toBe('authenticated');
    expect(seen).toEqual([
      expect.objectContaining({ user: 'ada' }),
      expect.objectContaining({ user: 'ada' }),
    ]);
  });

  test('a blocked token leaves the client connected and unauthenticated', async () => {
    const started = await startServer({ authKey });
    use(started, 'inbound', (action) => {
      if (action.type === action.AUTHENTICATE) action.block(failure('LockedError', 'Account locked'));
      else action.allow();
    });
    const token = jwt.sign({ user: 'ada' }, authKey);
    const client = createClient(started, { authEngine: storedToken(token) });
    const status = await nextValue(client.listener('connect'));

    expect(status).toMatchObject({ isAuthenticated: false, authError: { name: 'LockedError' } });
    expect(await client.authenticate(token)).toMatchObject({
      isAuthenticated: false,
      authError: { name: 'LockedError', message: 'Account locked' },
    });
    expect(client.authState).toBe('unauthenticated');
  });

  test('a token blocked as bad is taken from the client', async () => {
    const started = await startServer({ authKey });
    use(started, 'inbound', (action) => {
      if (action.type === action.AUTHENTICATE) {
        action.block(failure('RevokedError', 'Revoked', { isBadToken: true }));
      } else action.allow();
    });
    const token = jwt.sign({ user: 'ada' }, authKey);
    const authEngine = storedToken(token);
    const bad = nextValue(started.server.listener('badSocketAuthToken'));
    const client = createClient(started, { authEngine });
    const removed = nextValue(client.listener('removeAuthToken'));

    expect(await nextValue(client.listener('connect'))).toMatchObject({
      authError: { name: 'RevokedError' },
    });
    expect(await removed).toEqual({ oldAuthToken: token });
    expect(await bad).toMatchObject({ signedAuthToken: token });
    await expect(client.authenticate(token)).rejects.toMatchObject({
      name: 'RevokedError',
      isBadToken: true,
    });
    expect(authEngine.token).toBeNull();
  });
});
