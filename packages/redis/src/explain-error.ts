import { BrokerError } from '@socketcluster-ts/server';

/** What Redis begins its errors with that are about passwords. */
const REFUSED_LOGIN = /^(?:WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/;

/** An error of a connection in words that name the setting to look at. */
export function explainError(error: Error, named: string): BrokerError {
  const { message } = error;
  const { code } = error as { code?: unknown };
  let text: string;
  if (REFUSED_LOGIN.test(message)) {
    text = `Redis at ${named} refused the username or password it was given, or what they may do: ${message}`;
  } else if (typeof code === 'string' && /CERT|TLS|SSL|SELF_SIGNED|EPROTO/.test(code)) {
    text = `The TLS connection to Redis at ${named} failed: look at the option tls (${message})`;
  } else text = `Redis at ${named} cannot be reached: ${message || String(code)}`;
  return new BrokerError(text, { cause: error });
}

/** The server is older than what is needed; `undefined` when it is not, or does not say. */
export function explainVersion(info: string, needed: number, why: string): BrokerError | undefined {
  const version = /^redis_version:((\d+)\.[\w.]*)/m.exec(info);
  if (version === null || Number(version[2]) >= needed) return undefined;
  return new BrokerError(`Redis ${needed} or newer is needed ${why}, this is ${version[1]}`);
}
