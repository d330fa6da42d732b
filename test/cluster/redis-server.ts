import { programPath } from '@socketcluster-ts/testkit';
import { type EnginePlace, type EngineProcess, startEngine } from './engine-process.js';

/** How to start a server. */
export interface RedisServerOptions {
  /** More arguments, behind the usual ones. */
  readonly args?: readonly string[];
  /** Arguments before the usual ones, such as a file. */
  readonly first?: readonly string[];
  /** Another server than Redis, by its path. */
  readonly program?: string;
  readonly place?: EnginePlace;
  /** Given what ends the server and removes its folder. @default when the current test is over */
  readonly atEnd?: (end: () => Promise<void>) => void;
}

/** Starts a Redis, or another server that understands its arguments, on a free port of 127.0.0.1. It keeps nothing. */
export function startRedis(options: RedisServerOptions = {}): Promise<EngineProcess> {
  const { args = [], first = [], program = programPath('redis-server'), atEnd, place } = options;
  return startEngine({
    program,
    atEnd,
    place,
    args: (port, folder) => [
      ...first,
      '--port',
      `${port}`,
      '--bind',
      place?.host ?? '127.0.0.1',
      '--protected-mode',
      'no',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
      ...args,
    ],
  });
}
