import { randomUUID } from 'node:crypto';
import { memberName } from './accounts.js';
import { readName, readText } from './text-input.js';

/** One message as every page receives it. Only `text` and a guest's `name` come from the sender. */
export interface ChatMessage {
  readonly id: string;
  readonly text: string;
  readonly name: string;
  /** Whether the name was proven by a login. */
  readonly member: boolean;
  /** Server time, in ms since the epoch. */
  readonly at: number;
}

/**
 * Gives the message to publish in place of what a client sent (`{text, nickname}`).
 *
 * A member's name is taken from the verified token, whatever the client claims; a guest is shown by its nickname.
 *
 * @throws {Refusal} `InvalidInputError` when the text or the nickname is not acceptable.
 */
export function stampMessage(data: unknown, authToken: unknown): ChatMessage {
  const { text, nickname } = (data ?? {}) as { text?: unknown; nickname?: unknown };
  const member = memberName(authToken);
  return {
    id: randomUUID(),
    text: readText(text),
    name: member ?? readName(nickname),
    member: member !== null,
    at: Date.now(),
  };
}
