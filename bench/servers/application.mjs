/** What all servers of the benchmark agree on. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the procedure answers, in every server. */
export const REPLY = 'The same answer to every call';

/** The secret of the tokens. */
export const AUTH_KEY = 'a secret of 32 bytes or more that only the benchmark uses';

/** What this server was asked to do besides: flags of its command line. */
export const wants = {
  /** Clients will call the procedure `call`. */
  procedure: process.argv.includes('--procedure'),
  /** An inbound and an outbound middleware, asynchronous, that allow everything. */
  middleware: process.argv.includes('--middleware'),
  /** Where to write a profile of what is measured. @type {string | undefined} */
  profile: process.argv.find((flag) => flag.startsWith('--profile='))?.slice('--profile='.length),
};

/**
 * Verifies a token by hand: the signature and the expiry, nothing else.
 * @param {string} token
 * @returns {object} its claims
 */
export function verifyToken(token) {
  const [header, claims, signature] = token.split('.');
  const expected = createHmac('sha256', AUTH_KEY).update(`${header}.${claims}`).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'base64url'))) throw new Error('Wrong signature');
  const decoded = JSON.parse(Buffer.from(claims, 'base64url').toString());
  if (decoded.exp * 1000 < Date.now()) throw new Error('Expired');
  return decoded;
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/**
 * A token that all servers accept.
 * @param {number} lifetimeSeconds
 */
export function signToken(lifetimeSeconds) {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ username: 'ada', iat: now, exp: now + lifetimeSeconds })}`;
  return `${signed}.${createHmac('sha256', AUTH_KEY).update(signed).digest('base64url')}`;
}
