import { BrokerError } from '@socketcluster-ts/server';

/** The oldest version of the server with the protocol that is used here. */
const OLDEST = { major: 2, minor: 0 };

/** Why a connection to NATS failed, in one line that names the option to look at. */
export function connectError(servers: string, error: unknown): BrokerError {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError') {
    return new BrokerError(
      `NATS at ${servers} refused the credentials (${message}): check the options user, pass, token or authenticator`,
      { cause: error },
    );
  }
  return new BrokerError(`NATS cannot be reached at ${servers} (${message}): check the option servers`, {
    cause: error,
  });
}

/** Why this server cannot be used; `undefined` when it can. */
export function versionError(servers: string, version: string | undefined): BrokerError | undefined {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return undefined;
  return new BrokerError(
    `NATS at ${servers} has version ${version ?? 'unknown'}, which is too old: ${OLDEST.major}.${OLDEST.minor} or newer is needed (option servers)`,
  );
}
