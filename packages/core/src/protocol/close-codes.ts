const NORMAL = 1000;

/**
 * Every close code that this protocol knows, by name.
 *
 * 4100 to 4500 is free for applications; a client does not reconnect by itself after 1000 or 4500 and above.
 */
export const CLOSE_CODES: {
  readonly NORMAL: 1000;
  readonly GOING_AWAY: 1001;
  readonly PROTOCOL_ERROR: 1002;
  readonly INVALID_DATA: 1003;
  readonly NO_STATUS: 1005;
  readonly HUNG_UP: 1006;
  readonly INVALID_MESSAGE: 1007;
  readonly POLICY_VIOLATION: 1008;
  readonly MESSAGE_TOO_BIG: 1009;
  readonly MISSING_EXTENSION: 1010;
  readonly SERVER_FAILURE: 1011;
  readonly SERVICE_RESTART: 1012;
  readonly TRY_AGAIN_LATER: 1013;
  readonly PING_TIMEOUT: 4000;
  readonly PONG_TIMEOUT: 4001;
  readonly SIGN_FAILED: 4002;
  readonly HANDSHAKE_FAILED: 4003;
  readonly SAVE_TOKEN_FAILED: 4004;
  readonly HANDSHAKE_TIMEOUT: 4005;
  readonly BROKER_BIND_FAILED: 4006;
  readonly CONNECT_TIMEOUT: 4007;
  readonly HANDSHAKE_REJECTED: 4008;
  readonly MESSAGE_BEFORE_HANDSHAKE: 4009;
  readonly READS_TOO_SLOWLY: 4010;
} = {
  NORMAL,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  INVALID_DATA: 1003,
  NO_STATUS: 1005,
  HUNG_UP: 1006,
  INVALID_MESSAGE: 1007,
  POLICY_VIOLATION: 1008,
  MESSAGE_TOO_BIG: 1009,
  MISSING_EXTENSION: 1010,
  SERVER_FAILURE: 1011,
  SERVICE_RESTART: 1012,
  TRY_AGAIN_LATER: 1013,
  PING_TIMEOUT: 4000,
  PONG_TIMEOUT: 4001,
  SIGN_FAILED: 4002,
  HANDSHAKE_FAILED: 4003,
  SAVE_TOKEN_FAILED: 4004,
  HANDSHAKE_TIMEOUT: 4005,
  BROKER_BIND_FAILED: 4006,
  CONNECT_TIMEOUT: 4007,
  HANDSHAKE_REJECTED: 4008,
  MESSAGE_BEFORE_HANDSHAKE: 4009,
  READS_TOO_SLOWLY: 4010,
};

/** The codes that raise no error when a connection closes with them, and their texts. Frozen, without a prototype. */
export const ignoreStatuses: Readonly<Record<number, string>> = Object.freeze({
  __proto__: null,
  1000: 'Socket closed normally',
  1001: 'Socket was disconnected',
});

/**
 * The text of every close code that has one; 1001 is in both tables. Frozen, without a prototype.
 *
 * Closes by the library carry no reason on the wire: each side fills the text in from here.
 */
export const errorStatuses: Readonly<Record<number, string>> = Object.freeze({
  __proto__: null,
  1001: ignoreStatuses[1001] as string,
  1002: 'A WebSocket protocol error was encountered',
  1003: 'Server terminated socket because it received invalid data',
  1005: 'Socket closed without status code',
  1006: 'Socket hung up',
  1007: 'Message format was incorrect',
  1008: 'Encountered a policy violation',
  1009: 'Message was too big to process',
  1010: 'Client ended the connection because the server did not comply with extension requirements',
  1011: 'Server encountered an unexpected fatal condition',
  1012: 'Service restart',
  1013: 'Try again later',
  4000: 'Server ping timed out',
  4001: 'Client pong timed out',
  4002: 'Server failed to sign auth token',
  4003: 'Failed to complete handshake',
  4004: 'Client failed to save auth token',
  4005: 'Did not receive #handshake from client before timeout',
  4006: 'Failed to bind socket to message broker',
  4007: 'Client connection establishment timed out',
  4008: 'Server rejected handshake from client',
  4009: 'Server received a message before the client handshake',
  4010: 'Client reads too slowly',
});

/** The reason a side reports for a close: the given one, or the text of {@link errorStatuses} if that is empty. */
export function closeReason(code: number, reason: string | undefined): string {
  return reason || errorStatuses[code] || '';
}

/** Whether a close with this code is an ordinary end that raises no error (1000 and 1001). */
export function isIgnoredStatus(code: number): boolean {
  return code in ignoreStatuses;
}

const MAX_REASON_BYTES = 123;

/**
 * A close code and reason that any WebSocket library accepts, whatever was asked for.
 *
 * Allowed codes are 1000 to 1003, 1007 to 1014 and 3000 to 4999, anything else becomes 1000. A reason that is not a
 * string becomes `''`; one of more than 123 bytes of UTF-8 is cut before the first character that does not fit.
 */
export function sanitizeClose(code: unknown, reason: unknown): { code: number; reason: string } {
  return {
    code: isSendableCode(code) ? code : NORMAL,
    reason: typeof reason === 'string' ? cutToBytes(reason, MAX_REASON_BYTES) : '',
  };
}

function isSendableCode(code: unknown): code is number {
  const number = Number.isInteger(code) ? (code as number) : 0;
  if (number < 3000) return number >= 1000 && number <= 1014 && (number < 1004 || number > 1006);
  return number <= 4999;
}

function cutToBytes(text: string, limit: number): string {
  // As much as fits, in whole characters.
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(limit)).read);
}
