import * as v from 'valibot';
import { contract } from '../shared/contract.js';
import { byId, element } from './element.js';
import { errorText } from './error-text.js';
import type { DemoSocket } from './socket.js';

const KEY = 'demo.outbox';
const MAX_KEPT = 50;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });

const draftSchema = v.object({
  id: v.string(),
  room: v.string(),
  text: v.string(),
  name: v.string(),
  at: v.number(),
  /** Why it was not sent and is not tried again by itself; empty while it waits. */
  problem: v.string(),
});

type Draft = v.InferOutput<typeof draftSchema>;

/**
 * Owns what was written and is not acknowledged yet: it is shown below the messages, marked, until the server has it or
 * the writer takes it back. It outlives a reload.
 *
 * What the connection interrupted is sent again when the room is joined again, also when nobody knows whether it had
 * arrived: a message keeps its id, and the server knows those it has. Sends `change` when the list became empty or not.
 */
export class Outbox extends EventTarget {
  readonly #socket: DemoSocket;
  readonly #list = byId('outbox');
  #drafts: Draft[] = loadDrafts();
  #room = '';
  #isSending = false;

  constructor(socket: DemoSocket) {
    super();
    this.#socket = socket;
    void socket.listener('subscribe').each(({ channel }) => {
      if (channel === this.#channelName) void this.#sendAll();
    });
    for (const event of ['connect', 'close'] as const) void socket.listener(event).each(() => this.#paint());
    window.addEventListener('offline', () => this.#paint());
    window.addEventListener('online', () => {
      this.#paint();
      void this.#sendAll();
    });
  }

  /** Whether nothing of the open room waits. */
  get isEmpty(): boolean {
    return this.#drafts.every(({ room }) => room !== this.#room);
  }

  /** Shows what waits for this room, and sends it when it can be sent. */
  open(room: string): void {
    this.#room = room;
    this.#paint();
    void this.#sendAll();
  }

  /** Takes a text to be sent to the open room; `name` is what a guest is shown as. */
  add(text: string, name: string): void {
    this.#drafts.push({ id: randomId(), room: this.#room, text, name, at: Date.now(), problem: '' });
    this.#changed();
    void this.#sendAll();
  }

  /** A message has arrived in its room: if it was one of ours, it waits no longer. */
  settle(id: string): void {
    if (!this.#drafts.some((draft) => draft.id === id)) return;
    this.#drafts = this.#drafts.filter((draft) => draft.id !== id);
    this.#changed();
  }

  get #channelName(): `room/${string}` {
    return contract.channel('room/:room', { room: this.#room });
  }

  get #isConnected(): boolean {
    return this.#socket.state === 'open' && navigator.onLine;
  }

  /** One after the other, so that they arrive in the order in which they were written. */
  async #sendAll(): Promise<void> {
    if (this.#isSending || this.#room === '') return;
    this.#isSending = true;
    while (this.#socket.state === 'open' && this.#socket.isSubscribed(this.#channelName)) {
      const draft = this.#drafts.find(({ room, problem }) => room === this.#room && problem === '');
      if (draft === undefined || !(await this.#send(draft))) break;
    }
    this.#isSending = false;
  }

  /** Whether the server has decided about the draft. */
  async #send(draft: Draft): Promise<boolean> {
    const { id, text, name } = draft;
    try {
      await this.#socket.invokePublish(this.#channelName, { id, text, name });
      this.settle(id);
    } catch (error) {
      // Interrupted: it goes on waiting, and is tried again when the room is joined again.
      const { name: kind } = error as Error;
      if (kind === 'BadConnectionError' || (kind === 'TimeoutError' && !navigator.onLine)) return false;
      draft.problem = errorText(error);
      byId('composer-alert').textContent = `Not sent. ${draft.problem}`;
      this.#changed();
    }
    return true;
  }

  #changed(): void {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#drafts.slice(-MAX_KEPT)));
    } catch {
      // A browser that forbids storage keeps them until the reload.
    }
    this.#paint();
    this.dispatchEvent(new Event('change'));
  }

  #paint(): void {
    const drafts = this.#drafts.filter(({ room }) => room === this.#room);
    this.#list.replaceChildren(...drafts.map((draft) => this.#item(draft)));
  }

  #item(draft: Draft): HTMLElement {
    const time = element('time', { datetime: new Date(draft.at).toISOString() }, CLOCK.format(draft.at));
    const text = element('p', { class: 'message-text', dir: 'auto' }, draft.text);
    const item = element(
      'li',
      { class: 'message own draft', 'data-state': draft.problem === '' ? 'waiting' : 'failed' },
      element(
        'div',
        { class: 'message-body' },
        element('div', { class: 'bubble' }, text, time),
        this.#note(draft),
      ),
    );
    // A short wait is none: only what waits longer is said to.
    item.classList.toggle('brief', draft.problem === '' && this.#isConnected);
    return item;
  }

  #note(draft: Draft): HTMLElement {
    if (draft.problem === '') {
      const note = this.#isConnected ? 'Sending…' : 'Waiting for the connection';
      return element('p', { class: 'draft-note' }, note);
    }
    const again = this.#button('Try again', () => {
      draft.problem = '';
      this.#changed();
      void this.#sendAll();
    });
    const drop = this.#button('Delete', () => this.settle(draft.id));
    return element('p', { class: 'draft-note' }, `Not sent. ${draft.problem}`, again, drop);
  }

  #button(label: string, act: () => void): HTMLElement {
    const button = element('button', { type: 'button', class: 'link' }, label);
    button.addEventListener('click', ({ detail }) => {
      act();
      // The button is gone now. A keyboard goes on where one writes; a finger would only make another keyboard appear.
      if (detail === 0) byId('composer-text').focus();
    });
    return button;
  }
}

function loadDrafts(): Draft[] {
  try {
    const kept = v.safeParse(v.array(draftSchema), JSON.parse(sessionStorage.getItem(KEY) ?? '[]'));
    return kept.success ? kept.output : [];
  } catch {
    return [];
  }
}

/** A UUID; `crypto.randomUUID()` is there only on pages of localhost and of https. */
function randomId(): string {
  if ('randomUUID' in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}
