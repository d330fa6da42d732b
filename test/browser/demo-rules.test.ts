import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AGClientSocket } from '@socketcluster-ts/client';
import { afterTest, nextValue } from '@socketcluster-ts/testkit';
import { describe, expect, test } from 'vitest';
import { loadAuthKey } from '../../examples/demo/src/auth-key.js';
import { connectClient } from '../pairings/client.js';
import { startDemo } from './demo-process.js';

async function connect(): Promise<AGClientSocket> {
  return connectClient(await startDemo());
}

async function joinRoom(client: AGClientSocket, room: string): Promise<void> {
  await nextValue(client.subscribe(`room/${room}`).listener('subscribe'));
}

describe('what the demo refuses, whoever asks', () => {
  test.each([
    ['stats', { published: 9 }, 'Only the server publishes here.'],
    ['presence/lobby', { count: 99 }, 'Only the server publishes here.'],
    ['elsewhere', 'x', 'Only the server publishes here.'],
    ['room/ideas', { text: 'x', nickname: 'n' }, 'Join the room before you write in it.'],
    ['room/lobby', null, 'A message needs a text.'],
    ['room/lobby', { text: 5, nickname: 'n' }, 'A message needs a text.'],
    ['room/lobby', { text: ' \u0007\n', nickname: 'n' }, 'An empty message is not sent.'],
    ['room/lobby', { text: 'x'.repeat(501), nickname: 'n' }, 'A message has at most 500 characters.'],
    ['room/lobby', { text: 'x'.repeat(100_000), nickname: 'n' }, 'A message has at most 500 characters.'],
    ['room/lobby', { text: 'x' }, 'A name has 1 to 24 printable characters.'],
    ['room/lobby', { text: 'x', nickname: 'a\u202eb' }, 'A name has 1 to 24 printable characters.'],
    ['room/lobby', { text: 'x', nickname: 'n'.repeat(25) }, 'A name has 1 to 24 printable characters.'],
  ])('a message to %s (%#)', async (channel, data, message) => {
    const client = await connect();
    await joinRoom(client, 'lobby');
    await expect(client.invokePublish(channel, data)).rejects.toMatchObject({ message });
  });

  test.each([
    ['room/members', 'LoginRequiredError'],
    ['presence/members', 'LoginRequiredError'],
    ['room/', 'ForbiddenError'],
    ['room/-x', 'ForbiddenError'],
    [`room/${'x'.repeat(25)}`, 'ForbiddenError'],
    ['elsewhere', 'ForbiddenError'],
  ])('a subscription to %s', async (channel, name) => {
    const client = await connect();
    const failure = nextValue(client.listener('subscribeFail'));
    client.subscribe(channel);
    expect(await failure).toMatchObject({ channel, error: { name } });
  });

  test.each([
    ['constructor', undefined, 'UnknownProcedureError'],
    ['add', { a: '1', b: 2 }, 'InvalidInputError'],
    ['rollDice', { sides: 2.5 }, 'InvalidInputError'],
    ['history', { room: 'members' }, 'LoginRequiredError'],
    ['history', undefined, 'InvalidInputError'],
    ['login', undefined, 'InvalidInputError'],
    ['login', { name: 'Ada', password: ['demo'] }, 'LoginFailedError'],
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
      text: 'Signed\r\nby me',
      nickname: 'Grace',
      name: 'Grace',
      at: 1,
      html: '<b>',
    });
    const message = (await received) as { at: number };
    expect(message).toEqual({
      id: expect.any(String),
      text: 'Signed\nby me',
      name: 'Ada L.',
      member: true,
      at: expect.any(Number),
    });
    expect(Math.abs(Date.now() - message.at)).toBeLessThan(60_000);
  });

  test('a burst carries nothing of what the client sent', async () => {
    const client = await connect();
    const channel = client.subscribe('burst');
    await nextValue(channel.listener('subscribe'));
    const received = nextValue(channel);
    await client.invokePublish('burst', { html: '<b>' });
    expect(await received).toBeNull();
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
