import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

const MIN_KEY_LENGTH = 32;

/**
 * Gives the key that signs logins: the configured one, else the one kept in `file`, which is written at the first start
 * (readable by its owner only), so that a login outlives a restart.
 *
 * Where the file can be neither read nor written the key is random, and a restart logs everybody out.
 */
export async function loadAuthKey(configured: string | undefined, file: URL): Promise<string> {
  if (configured !== undefined && configured !== '') return configured;
  const kept = await readKey(file);
  if (kept !== null) return kept;
  const key = randomBytes(32).toString('hex');
  try {
    await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  } catch {
    // Another process may have written it in between: then its key counts.
    return (await readKey(file)) ?? key;
  }
}

async function readKey(file: URL): Promise<string | null> {
  try {
    const key = (await readFile(file, 'utf8')).trim();
    return key.length >= MIN_KEY_LENGTH ? key : null;
  } catch {
    return null;
  }
}
