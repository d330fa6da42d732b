import * as v from 'valibot';

/** The longest chat message, in characters as a person counts them. */
export const MAX_TEXT_LENGTH = 500;
/** The longest nickname, account name or room name, in characters. */
export const MAX_NAME_LENGTH = 24;

const NAME_RULE = `A name has 1 to ${MAX_NAME_LENGTH} printable characters.`;
const ROOM_RULE = 'There is no such room.';
const TEXT_RULE = 'A message needs a text.';

// Control characters, lone surrogates and the marks that turn the writing direction of what follows them.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;
const UNPRINTABLE_TEXT = /(?!\n)[\p{Cc}\p{Cs}]/gu;
const ROOM_NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

/** A name fit to be shown: trimmed, inner white space collapsed, normalised, 1 to 24 printable characters. */
export const personName = v.pipe(
  v.string(NAME_RULE),
  v.transform((name) => name.normalize('NFC').trim().replaceAll(/\s+/gu, ' ')),
  v.check((name) => name !== '' && !isLonger(name, MAX_NAME_LENGTH) && !UNPRINTABLE.test(name), NAME_RULE),
);

/** The text of a chat message: trimmed, without control characters, line breaks kept, 1 to 500 characters. */
export const messageText = v.pipe(
  v.string(TEXT_RULE),
  v.transform((text) =>
    text.normalize('NFC').replaceAll('\r\n', '\n').replaceAll(UNPRINTABLE_TEXT, '').trim(),
  ),
  v.check((text) => text !== '', 'An empty message is not sent.'),
  v.check((text) => !isLonger(text, MAX_TEXT_LENGTH), `A message has at most ${MAX_TEXT_LENGTH} characters.`),
);

/** A room's name: letters, digits, `-` and `_`, up to 24, beginning with a letter or digit. */
export const roomName = v.pipe(v.string(ROOM_RULE), v.check(isRoomName, ROOM_RULE));

/** Whether a room can have that name. */
export function isRoomName(name: string): boolean {
  return !isLonger(name, MAX_NAME_LENGTH) && ROOM_NAME.test(name);
}

function isLonger(text: string, limit: number): boolean {
  // The cheap bound first: a code point is at most two units, so nothing huge is ever spread.
  return text.length > limit * 2 || (text.length > limit && Array.from(text).length > limit);
}
