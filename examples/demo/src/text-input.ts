import { Refusal } from './refusal.js';

/** The longest chat message, in characters as a person counts them. */
export const MAX_TEXT_LENGTH = 500;
/** The longest nickname, account name or room name, in characters. */
export const MAX_NAME_LENGTH = 24;

// Control characters, lone surrogates and the marks that turn the writing direction of what follows them.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;
const UNPRINTABLE_TEXT = /(?!\n)[\p{Cc}\p{Cs}]/gu;
const ROOM_NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

/**
 * Gives a name fit to be shown: trimmed, inner white space collapsed, normalised.
 *
 * @throws {Refusal} `InvalidInputError` when it is not a string of 1 to 24 printable characters.
 */
export function readName(value: unknown): string {
  const name = typeof value === 'string' ? value.normalize('NFC').trim().replaceAll(/\s+/gu, ' ') : '';
  if (name === '' || isLonger(name, MAX_NAME_LENGTH) || UNPRINTABLE.test(name)) {
    throw new Refusal('InvalidInputError', `A name has 1 to ${MAX_NAME_LENGTH} printable characters.`);
  }
  return name;
}

/**
 * Gives the text of a chat message: trimmed, without control characters, line breaks kept.
 *
 * @throws {Refusal} `InvalidInputError` when it is not a string, is empty, or is longer than 500 characters.
 */
export function readText(value: unknown): string {
  if (typeof value !== 'string') throw new Refusal('InvalidInputError', 'A message needs a text.');
  const text = value.normalize('NFC').replaceAll('\r\n', '\n').replaceAll(UNPRINTABLE_TEXT, '').trim();
  if (text === '') throw new Refusal('InvalidInputError', 'An empty message is not sent.');
  if (isLonger(text, MAX_TEXT_LENGTH)) {
    throw new Refusal('InvalidInputError', `A message has at most ${MAX_TEXT_LENGTH} characters.`);
  }
  return text;
}

/** Whether `value` is a room's name: letters, digits, `-` and `_`, up to 24, beginning with a letter or digit. */
export function isRoomName(value: unknown): value is string {
  return typeof value === 'string' && !isLonger(value, MAX_NAME_LENGTH) && ROOM_NAME.test(value);
}

function isLonger(text: string, limit: number): boolean {
  // The cheap bound first: a code point is at most two units, so nothing huge is ever spread.
  return text.length > limit * 2 || (text.length > limit && Array.from(text).length > limit);
}
