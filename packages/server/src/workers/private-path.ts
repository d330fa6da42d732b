import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A path for a Unix socket, or on Windows for a named pipe. */
export interface PrivatePath {
  readonly path: string;
  /** Removes what was made for it. */
  remove(): Promise<void>;
}

/** Makes a path that only this user can reach. */
export async function makePrivatePath(): Promise<PrivatePath> {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\socketcluster-${process.pid}-${Date.now()}`, remove: async () => {} };
  }
  // A folder of its own has mode 0700; the mode of a socket is not respected everywhere.
  const folder = await mkdtemp(join(tmpdir(), 'socketcluster-'));
  return {
    path: join(folder, 'hub'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
