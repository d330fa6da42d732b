import { byId, element, icon } from './element.js';

const SUGGESTED = ['lobby', 'ideas', 'members'];
const MEMBERS = 'members';
const MAX_LENGTH = 24;
const ROOM_NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

/** Owns the list of rooms and which one is open; the address of the page says which. Sends `open` when it changes. */
export class Rooms extends EventTarget {
  #names = [...SUGGESTED];
  #current = '';
  /** @type {Map<string, number>} */
  #counts = new Map();
  #list = byId('rooms');
  #input = /** @type {HTMLInputElement} */ (byId('room-name'));

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
  get current() {
    return this.#current;
  }

  /** Opens the room that the address names, or the first one. */
  start() {
    this.#openFromAddress();
  }

  /**
   * Shows how many are in each of some rooms.
   *
   * @param {Record<string, number>} counts
   */
  showCounts(counts) {
    for (const [room, count] of Object.entries(counts)) this.#counts.set(room, count);
    for (const button of this.#list.querySelectorAll('button')) {
      const count = this.#counts.get(button.dataset['room'] ?? '') ?? 0;
      const label = button.querySelector('.room-count');
      if (label !== null) label.textContent = count > 0 ? String(count) : '';
    }
  }

  #openFromAddress() {
    let room = '';
    try {
      room = roomName(decodeURIComponent(location.hash.slice(1)));
    } catch {
      // An address that was cut off in the middle of a letter names no room.
    }
    this.#open(ROOM_NAME.test(room) ? room : (SUGGESTED[0] ?? ''));
  }

  #openTyped() {
    const room = roomName(this.#input.value);
    if (!ROOM_NAME.test(room)) {
      this.#complain('Use letters, digits, - and _.');
      this.#input.focus();
      return;
    }
    this.#input.value = '';
    this.#open(room);
  }

  /** @param {string} text */
  #complain(text) {
    byId('room-error').textContent = text;
    this.#input.setAttribute('aria-invalid', String(text !== ''));
  }

  /** @param {string} room */
  #open(room) {
    if (room === this.#current) return;
    this.#current = room;
    if (!this.#names.includes(room)) this.#names.push(room);
    const address = `#${encodeURIComponent(room)}`;
    if (location.hash !== address) history.replaceState(null, '', address);
    this.#paint();
    this.dispatchEvent(new Event('open'));
  }

  #paint() {
    const items = this.#names.map((room) => {
      const button = element(
        'button',
        { type: 'button', class: 'room', 'data-room': room },
        element('span', { class: 'room-sign', 'aria-hidden': 'true' }, '#'),
        element('bdi', { class: 'room-name' }, room),
      );
      if (room === MEMBERS)
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

/**
 * Gives the room that a text means: "Team Tea" is `team-tea`.
 *
 * @param {string} text
 */
function roomName(text) {
  const name = text.normalize('NFC').trim().replace(/^#/u, '').toLowerCase().replaceAll(/\s+/gu, '-');
  return Array.from(name).slice(0, MAX_LENGTH).join('');
}
