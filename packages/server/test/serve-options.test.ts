import { type ServeOptions, serve } from '@socketcluster-ts/server/workers';
import { describe, expect, test } from 'vitest';

const setup = (): void => {};

describe('The options of serve()', () => {
  test.each<[unknown, string]>([
    [undefined, 'The first argument of serve(): its options option must be an object - Got undefined'],
    [{}, 'The setup option must be a function - Got undefined'],
    [{ setup, workers: 0 }, "The workers option must be 'auto' or a whole number from 1 to 1024 - Got 0"],
    [{ setup, workers: 'all' }, 'must be \'auto\' or a whole number from 1 to 1024 - Got "all"'],
    [{ setup, port: 70_000 }, 'The port option must be a whole number from 0 to 65535 - Got 70000'],
    [{ setup, host: '' }, 'The host option must be an address - Got ""'],
    [{ setup, drainTimeout: -1 }, 'The drainTimeout option must be milliseconds from 0 to'],
    [
      { setup, drainTimeout: 100, drainSpread: 60 },
      'The drainSpread option must be at most half of drainTimeout',
    ],
    [{ setup, restartDelay: { first: NaN } }, 'The restartDelay.first option must be milliseconds'],
    [{ setup, link: {} }, 'The link option must be a function that gives a link'],
    [{ setup, signals: 1 }, 'The signals option must be true or false - Got 1'],
    [{ setup, worker: 2 }, 'must be of setup, workers, port'],
  ])('%j is refused by name', async (options, text) => {
    await expect(serve(options as ServeOptions)).rejects.toThrow(text);
  });
});
