import { MEMBERS_ROOM, SUGGESTED_ROOMS } from '../shared/rooms.js';
import { isRoomName, MAX_NAME_LENGTH } from '../shared/text-input.js';
import { byId, element, icon } from './element.js';

/** Owns the list of rooms and which one is open; the address of the page says which. Sends `open` when it changes. */
export class Rooms extends EventTarget {
  readonly #names = [...SUGGESTED_ROOMS];
  #current = '';
  readonly #counts = new Map<string, number>();
  readonly #list = byId('rooms');
  readonly #input = byId('room-name', HTMLInputElement);

  constructor() {
    super();
    byId('room-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#openTyped();
    });
    this.#input.addEventListener('input', () => this.#complain(''));
    window.addEventListener('hashchange', () => this.#openFromAddress());
  }

  /** The room that is open. */
  get current(): string {
    return this.#current;
  }

  /** Opens the room that the address names, or the first one. */
  start(): void {
    this.#openFromAddress();
  }

  /** Shows how many are in each of some rooms. */
  showCounts(counts: Readonly<Record<string, number>>): void {
    for (const [room, count] of Object.entries(counts)) this.#counts.set(room, count);
    for (const button of this.#list.querySelectorAll('button')) {
      const count = this.#counts.get(button.dataset['room'] ?? '') ?? 0;
      const label = button.querySelector('.room-count');
      if (label !== null) label.textContent = count > 0 ? String(count) : '';
    }
  }

  #openFromAddress(): void {
    let room = '';
    try {
      room = roomName(decodeURIComponent(location.hash.slice(1)));
    } catch {
      // An address that was cut off in the middle of a letter names no room.
    }
    this.#open(isRoomName(room) ? room : (SUGGESTED_ROOMS[0] ?? ''));
  }

  #openTyped(): void {
    const room = roomName(this.#input.value);
    if (!isRoomName(room)) {
      this.#complain('Use letters, digits, - and _.');
      this.#input.focus();
      return;
    }
    this.#input.value = '';
    this.#open(room);
  }

  #complain(text: string): void {
    byId('room-error').textContent = text;
    this.#input.setAttribute('aria-invalid', String(text !== ''));
  }

  #open(room: string): void {
    if (room === this.#current) return;
    this.#current = room;
    if (!this.#names.includes(room)) this.#names.push(room);
    const address = `#${encodeURIComponent(room)}`;
    if (location.hash !== address) history.replaceState(null, '', address);
    this.#paint();
    this.dispatchEvent(new Event('open'));
  }

  #paint(): void {
    const items = this.#names.map((room) => {
      const button = element(
        'button',
        { type: 'button', class: 'room', 'data-room': room },
        element('span', { class: 'room-sign', 'aria-hidden': 'true' }, '#'),
        element('bdi', { class: 'room-name' }, room),
      );
      if (room === MEMBERS_ROOM)
        button.append(icon('lock'), element('span', { class: 'visually-hidden' }, ' (login needed)'));
      button.append(element('span', { class: 'room-count', title: 'People here' }));
      if (room === this.#current) button.setAttribute('aria-current', 'page');
      button.addEventListener('click', () => this.#open(room));
      return element('li', {}, button);
    });
    const hadFocus = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...items);
    const current = this.#list.querySelector('[aria-current]');
    if (hadFocus && current instanceof HTMLElement) current.focus();
    current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.showCounts({});
  }
}

/** Gives the room that a text means: "Team Tea" is `team-tea`. */
function roomName(text: string): string {
  const name = text.normalize('NFC').trim().replace(/^#/u, '').toLowerCase().replaceAll(/\s+/gu, '-');
  return Array.from(name).slice(0, MAX_NAME_LENGTH).join('');
}
