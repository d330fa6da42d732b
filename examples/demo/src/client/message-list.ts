import type { ChatMessage } from '../shared/contract.js';
import { byId, element, icon, paintAvatar } from './element.js';

const MAX_MESSAGES = 200;
const GROUP_MS = 3 * 60_000;
const NEAR_END_PX = 80;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** Owns the messages of the open room and their place on the page; the oldest go when there are more than 200. */
export class MessageList {
  #messages = new Map<string, ChatMessage>();
  #last: ChatMessage | null = null;
  readonly #isOwn: (message: ChatMessage) => boolean;
  readonly #list = byId('messages');
  readonly #scroll = byId('scroll');
  readonly #jump = byId('jump');

  constructor(isOwn: (message: ChatMessage) => boolean) {
    this.#isOwn = isOwn;
    this.#jump.addEventListener('click', () => this.toEnd('smooth'));
    this.#scroll.addEventListener('scroll', () => {
      if (this.#isNearEnd()) this.#jump.hidden = true;
    });
    // A smaller list (a keyboard opens, a composer grows, more waits to be sent) must not hide the newest message.
    let wasNearEnd = true;
    this.#scroll.addEventListener('scroll', () => {
      wasNearEnd = this.#isNearEnd();
    });
    const observer = new ResizeObserver(() => {
      if (wasNearEnd) this.toEnd('instant');
    });
    observer.observe(this.#scroll);
    observer.observe(byId('outbox'));
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  clear(): void {
    this.#messages.clear();
    this.#last = null;
    this.#list.replaceChildren();
    this.#jump.hidden = true;
  }

  /** Shows a message, unless it is here already. */
  add(message: ChatMessage): void {
    if (this.#messages.has(message.id)) return;
    const follow = this.#isNearEnd() || this.#isOwn(message);
    this.#messages.set(message.id, message);
    this.#append(message);
    if (this.#messages.size > MAX_MESSAGES) {
      const [oldest] = this.#messages.keys();
      if (oldest !== undefined) this.#messages.delete(oldest);
      this.#list.firstElementChild?.remove();
    }
    if (follow) this.toEnd('instant');
    else this.#jump.hidden = false;
  }

  /** Puts earlier messages in their places; those that are here already stay. */
  merge(earlier: readonly ChatMessage[]): void {
    const fresh = earlier.filter((message) => !this.#messages.has(message.id));
    if (fresh.length === 0) return;
    const sorted = [...this.#messages.values(), ...fresh]
      .toSorted((a, b) => a.at - b.at)
      .slice(-MAX_MESSAGES);
    this.#messages = new Map(sorted.map((message) => [message.id, message]));
    this.repaint();
    this.toEnd('instant');
  }

  /** Draws all messages anew, as when this tab became somebody else. */
  repaint(): void {
    // What was there before is no news to a screen reader.
    this.#list.setAttribute('aria-live', 'off');
    this.#last = null;
    this.#list.replaceChildren();
    for (const message of this.#messages.values()) this.#append(message);
    requestAnimationFrame(() => this.#list.setAttribute('aria-live', 'polite'));
  }

  #append(message: ChatMessage): void {
    const last = this.#last;
    const own = this.#isOwn(message);
    const continues =
      last !== null &&
      last.name === message.name &&
      last.member === message.member &&
      message.at - last.at < GROUP_MS;
    this.#last = message;

    const date = new Date(message.at);
    const time = element(
      'time',
      { datetime: date.toISOString(), title: FULL.format(date) },
      CLOCK.format(date),
    );
    const item = element('li', { class: 'message' });
    item.classList.toggle('own', own);
    item.classList.toggle('continues', continues);
    const avatar = element('span', { class: 'avatar', 'aria-hidden': 'true' });
    paintAvatar(avatar, message.name);
    const head = element(
      'p',
      { class: 'message-head' },
      element('bdi', { class: 'message-name' }, message.name),
      badge(message),
    );
    if (own) head.append(element('span', { class: 'visually-hidden' }, ' (you)'));
    const text = element('p', { class: 'message-text', dir: 'auto' }, message.text);
    item.append(
      avatar,
      element('div', { class: 'message-body' }, head, element('div', { class: 'bubble' }, text, time)),
    );
    this.#list.append(item);
  }

  #isNearEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  /** Scrolls to the newest message. */
  toEnd(behavior: ScrollBehavior): void {
    this.#jump.hidden = true;
    this.#scroll.scrollTo({ top: this.#scroll.scrollHeight, behavior });
  }
}

function badge(message: ChatMessage): HTMLElement {
  if (!message.member) return element('span', { class: 'badge' }, 'guest');
  const mark = element('span', { class: 'badge member', title: 'Logged in' }, icon('check'));
  mark.append(element('span', { class: 'visually-hidden' }, 'member'));
  return mark;
}
