import { Refusal } from './refusal.js';
import { readName } from './text-input.js';

/** The password of every account of the demo; the page shows it. */
export const DEMO_PASSWORD = 'demo';

/** What the login token carries. */
export interface MemberToken {
  readonly name: string;
}

/**
 * Gives the claims of the token for a name and a password: any name will do, the password is `demo`.
 *
 * @throws {Refusal} `LoginFailedError` when the password is another, `InvalidInputError` when the name cannot be shown.
 */
export function checkLogin(data: unknown): MemberToken {
  const { name, password } = (data ?? {}) as { name?: unknown; password?: unknown };
  const claims = { name: readName(name) };
  if (password !== DEMO_PASSWORD) {
    throw new Refusal('LoginFailedError', 'Wrong password. It is “demo”.');
  }
  return claims;
}

/** The member's name in a verified token, or `null` for a guest. */
export function memberName(authToken: unknown): string | null {
  const name = (authToken as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' ? name : null;
}
