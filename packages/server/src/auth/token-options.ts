import type { AuthToken } from '@socketcluster-ts/core';
import type { KeyMaterial } from './key-material.js';

/** What the first part of a token says about it. Nothing in it is trusted: it only selects among keys and algorithms already allowed. */
export interface TokenHeader {
  readonly alg?: unknown;
  readonly kid?: unknown;
  readonly typ?: unknown;
  readonly crit?: unknown;
}

/** What a source of keys finds: the key, or several, any of which may have signed the token. */
export type FoundKey = KeyMaterial | readonly KeyMaterial[];

/**
 * Finds the key that verifies a token, by the token's header. As with
 * jsonwebtoken one that takes two parameters may give the key to the callback instead.
 *
 * It rejects with a `JsonWebTokenError` when the token itself is at fault, and with an `AuthTokenError` whose `isBadToken` is false when it
 * cannot tell, for example because a server is down: then clients keep their token.
 */
export type KeySource = (
  header: TokenHeader,
  callback: (error: unknown, key?: FoundKey) => void,
) => FoundKey | Promise<FoundKey | void> | void;

/** What tokens are verified with: a key, or a function that finds one; `null` when there is none, and then no token is valid. */
export type VerificationKey = KeyMaterial | KeySource | null;

/** What tokens are signed with; `null` when there is none, and then signing rejects. */
export type SignatureKey = KeyMaterial | null;

/**
 * Says whether a valid token was revoked, at once or later. `signedToken` is null for a token that is not signed yet,
 * and when an engine of the application's own authenticated a client that sent none.
 *
 * @typeParam T - the claims
 */
export type IsTokenRevoked<T = AuthToken> = (
  token: T,
  signedToken: string | null,
) => boolean | Promise<boolean>;

/** How a token is verified. `S` is the type of the socket that the token came from. */
export interface TokenVerificationOptions<S = unknown> {
  /** The socket that the token came from, for engines that want it; the default engine ignores it. */
  readonly socket?: S;
  /** The algorithms a token may use. @default those that fit the key; the token's own header decides nothing. */
  readonly algorithms?: readonly string[] | undefined;
  /** Accepted values of the `aud` claim. */
  readonly audience?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /** Accepted values of the `iss` claim. */
  readonly issuer?: string | readonly string[] | undefined;
  /** The `sub` claim that a token must have. */
  readonly subject?: string | undefined;
  /** The `jti` claim that a token must have. */
  readonly jwtid?: string | undefined;
  /** The `nonce` claim that a token must have. */
  readonly nonce?: string | undefined;
  /** How old a token may be by its `iat` claim: seconds, or a time span such as `'2h'`. */
  readonly maxAge?: number | string | undefined;
  /** The seconds by which `exp` and `nbf` may be missed; more than 60 count as 60. @default 0 */
  readonly clockTolerance?: number | undefined;
  /** The time to verify against, in seconds. @default now */
  readonly clockTimestamp?: number | undefined;
  /** Accepts tokens whose time is over. @default false */
  readonly ignoreExpiration?: boolean | undefined;
  /** Accepts tokens whose time has not come. @default false */
  readonly ignoreNotBefore?: boolean | undefined;
  /** Accepts keys whose parameters (curve, hash) are not those of the algorithm. @default false */
  readonly allowInvalidAsymmetricKeyTypes?: boolean | undefined;
}

/** How a token is signed. An option whose value is `undefined` is taken as not given. */
export interface TokenSignatureOptions {
  /** @default `HS256` for a secret, the usual one of its kind for a private key */
  readonly algorithm?: string | undefined;
  /** When the token expires: whole seconds from now, or a time span such as `'2h'`; sets `exp`. @default never */
  readonly expiresIn?: number | string | undefined;
  /** When the token becomes valid: whole seconds from now, or a time span; sets `nbf`. @default at once */
  readonly notBefore?: number | string | undefined;
  /** Sets `aud`. */
  readonly audience?: string | readonly string[] | undefined;
  /** Sets `iss`. */
  readonly issuer?: string | undefined;
  /** Sets `sub`. */
  readonly subject?: string | undefined;
  /** Sets `jti`. */
  readonly jwtid?: string | undefined;
  /** Leaves the `iat` claim out. @default false */
  readonly noTimestamp?: boolean | undefined;
  /** Sets `kid` in the header. */
  readonly keyid?: string | undefined;
  /** More header fields. */
  readonly header?: object | undefined;
  /** How text becomes bytes. @default 'utf8' */
  readonly encoding?: string | undefined;
  /** Writes `iat`, `exp` and the other claims into the object that was given, too. @default false */
  readonly mutatePayload?: boolean | undefined;
  /** Accepts RSA keys under 2048 bits. @default false */
  readonly allowInsecureKeySizes?: boolean | undefined;
  /** Accepts keys whose parameters (curve, hash) are not those of the algorithm. @default false */
  readonly allowInvalidAsymmetricKeyTypes?: boolean | undefined;
}
