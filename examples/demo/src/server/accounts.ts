import { Refusal } from './refusal.js';

/** The password of every account of the demo; the page shows it. */
export const DEMO_PASSWORD = 'demo';

/**
 * Lets in whoever knows the password, under any name.
 *
 * @throws {Refusal} `LoginFailedError` when the password is another.
 */
export function checkLogin(password: string): void {
  if (password !== DEMO_PASSWORD) throw new Refusal('LoginFailedError', 'Wrong password. It is “demo”.');
}
