/** Bytes that may stand in a subject as they are; `=` begins an escaped one. A dot would cut the name in two. */
const PLAIN = /^[A-Za-z0-9_\-/:@$+,;!~]$/;

/**
 * The NATS subject of a channel: the prefix, a dot and the name, in which every byte that subjects cannot have is `=` and
 * two hexadecimal digits. Different channels have different subjects, and no channel has one with wildcards.
 */
export function subjectOf(prefix: string, channel: string): string {
  let subject = `${prefix}.`;
  for (const byte of Buffer.from(channel)) {
    const character = String.fromCharCode(byte);
    subject += PLAIN.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return subject;
}
