import { createServer } from 'node:http';
import { attach, type ServerOptions } from '@socketcluster-ts/server';
import { afterTest, turn } from '@socketcluster-ts/testkit';
import { describe, expect, test, vi } from 'vitest';

/** The warnings of the process while servers with these options are constructed, three of each. */
async function warningsOf(options: ServerOptions): Promise<string[]> {
  const seen: string[] = [];
  const note = (warning: Error): void => {
    if (warning.name === 'SocketClusterWarning') seen.push(warning.message);
  };
  process.on('warning', note);
  afterTest(() => process.off('warning', note));
  for (let count = 0; count < 3; count += 1) attach(createServer(), options);
  await turn();
  return seen;
}

describe('what an operator is told, once per process', () => {
  test('that a secret is short, without the secret', async () => {
    const warnings = await warningsOf({ authKey: 'short secret' });
    expect(warnings).toEqual([
      'The authKey option must be at least 32 bytes long to be safe from guessing - Got 12',
    ]);
  });

  test('that every website may connect, in production only', async () => {
    expect(await warningsOf({})).toEqual([]);
    vi.stubEnv('NODE_ENV', 'production');
    afterTest(() => {
      vi.unstubAllEnvs();
    });
    expect(await warningsOf({ origins: ['example.com:443'] })).toEqual([]);
    expect(await warningsOf({})).toEqual([
      'The origins option admits every website: list the origins of your pages',
    ]);
  });

  test('nothing for options that are in order', async () => {
    expect(await warningsOf({ authKey: 'k'.repeat(32), origins: 'example.com:*' })).toEqual([]);
  });
});

describe('limits: public', () => {
  test('refuses a short secret, and admits the pages of its own host only', () => {
    expect(() => attach(createServer(), { limits: 'public', authKey: 'short' })).toThrow(/authKey.*32 bytes/);
    const { options } = attach(createServer(), { limits: 'public' });
    expect(options).toMatchObject({ maxPayload: 262_144, socketChannelLimit: 128, origins: 'self' });
  });

  test('an option of its own place wins over the preset, and `v20` is as open as upstream', () => {
    const open = attach(createServer(), { limits: { preset: 'v20', maxDepth: 10 }, maxPayload: 5 });
    expect(open.options).toMatchObject({ maxPayload: 5, socketChannelLimit: null, origins: '*:*' });
    expect(open.limits.maxDepth).toBe(10);
    expect(open.limits.maxTokenBytes).toBe(Infinity);
  });

  test.for([
    [{ limits: 'none' }, /limits option must be one of default, public, v20 - Got "none"/],
    [
      { limits: { depth: 3 } },
      /limits option must be an object with the keys preset, maxDepth, maxTokenBytes/,
    ],
    [{ limits: { maxDepth: -1 } }, /limits.maxDepth option must be a number from 0 - Got -1/],
    [{ limits: [] }, /limits option must be/],
  ] as const)('%j is refused by name', ([options, message]) => {
    expect(() => attach(createServer(), options as unknown as ServerOptions)).toThrow(message);
  });
});
