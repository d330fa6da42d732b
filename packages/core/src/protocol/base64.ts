const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes as standard base64 with padding. Uses `Buffer` where there is one, and needs nothing of the platform else. */
export function bytesToBase64(bytes: Uint8Array): string {
  const { Buffer } = globalThis as { Buffer?: typeof globalThis.Buffer };
  if (Buffer === undefined) return encodeBase64(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The same as {@link bytesToBase64}, in plain JavaScript, for browsers. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const rest = bytes.length - index;
    const group = (byteAt(bytes, index) << 16) | (byteAt(bytes, index + 1) << 8) | byteAt(bytes, index + 2);
    text += digit(group, 18) + digit(group, 12);
    text += rest > 1 ? digit(group, 6) : '=';
    text += rest > 2 ? digit(group, 0) : '=';
  }
  return text;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function digit(group: number, shift: number): string {
  return ALPHABET.charAt((group >> shift) & 63);
}
