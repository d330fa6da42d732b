/** Bytes as standard base64 with padding. Uses `Buffer` where there is one. */
export function bytesToBase64(bytes: Uint8Array): string {
  const { Buffer } = globalThis as { Buffer?: typeof globalThis.Buffer };
  if (Buffer === undefined) return encodeBase64(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The same as {@link bytesToBase64}, for browsers. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
