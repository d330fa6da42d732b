import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AGClientSocket } from '@socketcluster-ts/client';
import { afterTest, nextValue } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { loadAuthKey } from '../../examples/demo/src/server/auth-key.js';
import { connectClient } from '../pairings/client.js';
import { startDemo } from './demo-process.js';

const ID = '5e0f1e0c-8f0b-4a5c-9d57-2f2f6a2a9c11';
const TOO_LONG = 'A message has at most 500 characters.';
const NAME_RULE = 'A name has 1 to 24 printable characters.';

async function connect(): Promise<AGClientSocket> {
  return connectClient(await startDemo());
}

async function joinRoom(client: AGClientSocket, room: string): Promise<void> {
  await nextValue(client.subscribe(`room/${room}`).listener('subscribe'));
}

describe('what the demo refuses, whoever asks', () => {
  test.each([
    ['stats', { published: 9, clients: 1, upSeconds: 1, rooms: {} }, 'Only the server publishes here.'],
    ['presence/lobby', { count: 99 }, 'Only the server publishes here.'],
    ['typing/lobby', { socketId: 'x', name: 'n' }, 'Only the server publishes here.'],
    ['room/ideas', { id: ID, text: 'x', name: 'n' }, 'Join the room before you write in it.'],
  ])('a message to %s (%#)', async (channel, data, message) => {
    const client = await connect();
    await joinRoom(client, 'lobby');
    await expect(client.invokePublish(channel, data)).rejects.toMatchObject({ message });
  });

  test.each([
    [null, [expect.anything()]],
    [{ id: ID, text: 5, name: 'n' }, [{ path: 'text', message: 'A message needs a text.' }]],
    [{ id: ID, text: ' \u0007\n', name: 'n' }, [{ path: 'text', message: 'An empty message is not sent.' }]],
    [{ id: ID, text: 'x'.repeat(501), name: 'n' }, [{ path: 'text', message: TOO_LONG }]],
    [{ id: ID, text: 'x'.repeat(100_000), name: 'n' }, [{ path: 'text', message: TOO_LONG }]],
    [{ id: ID, text: 'x' }, [expect.objectContaining({ path: 'name' })]],
    [{ id: ID, text: 'x', name: 'a\u202eb' }, [{ path: 'name', message: NAME_RULE }]],
    [{ id: ID, text: 'x', name: 'n'.repeat(25) }, [{ path: 'name', message: NAME_RULE }]],
    [{ id: 'mine', text: 'x', name: 'n' }, [{ path: 'id', message: 'The id of a message is a UUID.' }]],
  ])('a message that is not what the contract says (%#)', async (data, issues) => {
    const client = await connect();
    await joinRoom(client, 'lobby');
    await expect(client.invokePublish('room/lobby', data)).rejects.toMatchObject({
      name: 'InvalidDataError',
      entry: 'channels.room/:room',
      issues,
    });
  });

  test('a channel that the contract does not have', async () => {
    const client = await connect();
    await expect(client.invokePublish('elsewhere', 'x')).rejects.toMatchObject({ name: 'UnknownNameError' });
  });

  test.each([
    ['room/members', 'LoginRequiredError'],
    ['presence/members', 'LoginRequiredError'],
    ['typing/members', 'LoginRequiredError'],
    ['room/', 'UnknownNameError'],
    ['room/-x', 'ForbiddenError'],
    [`room/${'x'.repeat(25)}`, 'ForbiddenError'],
    ['elsewhere', 'UnknownNameError'],
  ])('a subscription to %s', async (channel, name) => {
    const client = await connect();
    const failure = nextValue(client.listener('subscribeFail'));
    client.subscribe(channel);
    expect(await failure).toMatchObject({ channel, error: { name } });
  });

  test.each([
    ['constructor', undefined, 'UnknownNameError'],
    ['add', { a: '1', b: 2 }, 'InvalidDataError'],
    ['rollDice', { sides: 2.5 }, 'InvalidDataError'],
    ['history', { room: 'members' }, 'LoginRequiredError'],
    ['history', undefined, 'InvalidDataError'],
    ['login', undefined, 'InvalidDataError'],
    ['login', { name: 'Ada', password: ['demo'] }, 'InvalidDataError'],
    ['login', { name: 'Ada', password: 'guess' }, 'LoginFailedError'],
  ])('the call %s(%j)', async (procedure, data, name) => {
    const client = await connect();
    await expect(client.invoke(procedure, data)).rejects.toMatchObject({ name });
  });

  test('more calls than a person makes', async () => {
    const client = await connect();
    const calls = await Promise.allSettled(Array.from({ length: 100 }, () => client.invoke('serverTime')));
    const refused = calls.filter((call) => call.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { name: 'TooManyRequestsError' } });
  });
});

describe('what the server vouches for', () => {
  test('a message carries the name of the login, whatever the client claims, and no other field of the client', async () => {
    const client = await connect();
    const authenticated = nextValue(client.listener('authenticate'));
    await client.invoke('login', { name: '  Ada   L. ', password: 'demo' });
    await authenticated;
    await joinRoom(client, 'lobby');
    const received = nextValue(client.channel('room/lobby'));
    await client.invokePublish('room/lobby', {
      id: ID,
      text: 'Signed\r\nby me',
      name: 'Grace',
      member: false,
      at: 1,
      html: '<b>',
    });
    const message = (await received) as { at: number };
    expect(message).toEqual({
      id: ID,
      text: 'Signed\nby me',
      name: 'Ada L.',
      member: true,
      at: expect.any(Number),
    });
    expect(Math.abs(Date.now() - message.at)).toBeLessThan(60_000);
  });

  test('a message that is sent again is still one, and cannot be changed', async () => {
    const client = await connect();
    await joinRoom(client, 'lobby');
    await client.invokePublish('room/lobby', { id: ID, text: 'Once.', name: 'Nora' });
    const received = nextValue(client.channel('room/lobby'));
    await client.invokePublish('room/lobby', { id: ID, text: 'Something else.', name: 'Omar' });
    expect(await received).toMatchObject({ id: ID, text: 'Once.', name: 'Nora' });
    const { messages } = (await client.invoke('history', { room: 'lobby' })) as { messages: unknown[] };
    expect(messages).toHaveLength(1);
  });

  test('a guest who claims to be a member, and another time, is neither', async () => {
    const client = await connect();
    await joinRoom(client, 'lobby');
    const received = nextValue(client.channel('room/lobby'));
    await client.invokePublish('room/lobby', { id: ID, text: 'x', name: 'Ada', member: true, at: 1 });
    const message = (await received) as { member: boolean; at: number };
    expect(message.member).toBe(false);
    expect(Math.abs(Date.now() - message.at)).toBeLessThan(60_000);
  });

  test('only those who are in a room are told that somebody writes there, under the name of the login', async () => {
    const demo = await startDemo();
    const [inside, outside] = [await connectClient(demo), await connectClient(demo)];
    const authenticated = nextValue(inside.listener('authenticate'));
    await inside.invoke('login', { name: 'Ada', password: 'demo' });
    await authenticated;
    await joinRoom(inside, 'lobby');
    const channel = inside.subscribe('typing/lobby');
    await nextValue(channel.listener('subscribe'));
    const told = nextValue(channel);
    await outside.transmit('typing', { room: 'lobby', name: 'Nobody' });
    // The answer shows that the server is done with what was sent before.
    await outside.invoke('serverTime');
    await inside.transmit('typing', { room: 'lobby', name: 'Grace' });
    expect(await told).toEqual({ socketId: inside.id, name: 'Ada' });
  });
});

describe('the key that signs logins', () => {
  async function keyFile(): Promise<{ path: string; url: URL }> {
    const folder = await mkdtemp(join(tmpdir(), 'demo-key-'));
    afterTest(() => rm(folder, { recursive: true }));
    const path = join(folder, 'key');
    return { path, url: pathToFileURL(path) };
  }

  test('is kept for the next start, readable by its owner only', async () => {
    const { path, url } = await keyFile();
    const key = await loadAuthKey(undefined, url);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(await loadAuthKey('', url)).toBe(key);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('is the configured one where there is one, and then none is kept', async () => {
    const { path, url } = await keyFile();
    expect(await loadAuthKey('configured', url)).toBe('configured');
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('is random where none can be kept, or the kept one is too short', async () => {
    const { path, url } = await keyFile();
    const impossible = pathToFileURL(join(path, 'no', 'folder'));
    expect(await loadAuthKey(undefined, impossible)).not.toBe(await loadAuthKey(undefined, impossible));
    await writeFile(path, 'short');
    expect(await loadAuthKey(undefined, url)).toMatch(/^[0-9a-f]{64}$/);
  });
});
