import { fileURLToPath } from 'node:url';

/** The path of a module of `setups/`, which makes a server behave in a certain way. */
export function setupPath(name: string): string {
  return fileURLToPath(new URL(`./setups/${name}.mjs`, import.meta.url));
}
