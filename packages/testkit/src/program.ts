import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps servers where the `PATH` of a user does not lead. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/sbin'];

/**
 * The path of a program that the tests start, such as `redis-server`: what the variable of that name says (`REDIS_SERVER`),
 * or where it is found. `tools/check-environment.mjs` has installed it.
 * @throws {Error} when there is none
 */
export function programPath(name: string): string {
  const found = programPathIfAny(name);
  if (found === undefined) {
    const variable = variableOf(name);
    throw new Error(`${name} is needed: run "node tools/check-environment.mjs", or name it in ${variable}`);
  }
  return found;
}

/** As {@link programPath}, of a program that the tests use where it is installed. */
export function programPathIfAny(name: string): string | undefined {
  return process.env[variableOf(name)] ?? FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

function variableOf(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
