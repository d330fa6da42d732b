const LONGEST_NAME_BYTES = 255;
const ECHO_CHARACTERS = 64;

/** A name of the client as error messages repeat it: in full while it has a usual length, else its beginning. */
export function echoName(name: string): string {
  if (name.length <= LONGEST_NAME_BYTES && Buffer.byteLength(name) <= LONGEST_NAME_BYTES) return name;
  return `${name.slice(0, ECHO_CHARACTERS)}…`;
}
