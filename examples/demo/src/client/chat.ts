import type { AGChannel } from '@socketcluster-ts/client';
import * as v from 'valibot';
import { type ChatMessage, contract } from '../shared/contract.js';
import { MAX_TEXT_LENGTH, messageText } from '../shared/text-input.js';
import type { Account } from './account.js';
import { byId } from './element.js';
import { errorText } from './error-text.js';
import { MessageList } from './message-list.js';
import { Outbox } from './outbox.js';
import type { DemoSocket } from './socket.js';
import { Typing } from './typing.js';

const COUNT_FROM = 400;

/**
 * Owns the open room: its subscription, its messages, and what is being written. Sends `message` for each
 * that came in, and `count` with how many are here.
 */
export class Chat extends EventTarget {
  readonly #socket: DemoSocket;
  readonly #account: Account;
  readonly #messages: MessageList;
  readonly #outbox: Outbox;
  readonly #typing: Typing;
  readonly #composer = byId('composer', HTMLFormElement);
  readonly #text = byId('composer-text', HTMLTextAreaElement);
  readonly #send = byId('send', HTMLButtonElement);
  #room = '';
  #channels: Pick<AGChannel, 'unsubscribe' | 'kill'>[] = [];
  #state: 'joining' | 'joined' | 'refused' = 'joining';
  #problem = '';

  constructor(socket: DemoSocket, account: Account) {
    super();
    this.#socket = socket;
    this.#account = account;
    this.#outbox = new Outbox(socket);
    this.#typing = new Typing(socket);
    this.#messages = new MessageList(({ name, member }) => {
      const { person } = account;
      return member === person.member && name === person.name;
    });
    void socket.listener('subscribe').each(({ channel }) => {
      if (channel === this.#channelName) void this.#joined();
    });
    void socket.listener('subscribeFail').each(({ channel, error }) => {
      if (channel === this.#channelName) this.#refused(error, errorText(error));
    });
    void socket.listener('kickOut').each(({ channel, message }) => {
      if (channel === this.#channelName)
        this.#refused({ name: 'LoginRequiredError' }, `${message ?? ''} This room is for members.`);
    });
    for (const event of ['connect', 'close'] as const) void socket.listener(event).each(() => this.#paint());
    account.addEventListener('change', () => {
      this.#messages.repaint();
      if (this.#state === 'refused' && account.person.member) this.join(this.#room);
      this.#paint();
    });
    this.#outbox.addEventListener('change', () => this.#paint());
    byId('refused-log-in').addEventListener('click', () => account.open('login'));
    this.#wireComposer();
  }

  /** Leaves the room that is open and joins another; joining the same one again is a new attempt. */
  join(room: string): void {
    for (const channel of this.#channels) {
      channel.unsubscribe();
      channel.kill();
    }
    this.#room = room;
    this.#state = 'joining';
    this.#messages.clear();
    byId('here-text').textContent = '–';
    byId('room-title').textContent = `# ${room}`;
    byId('second-tab').setAttribute('href', `./#${encodeURIComponent(room)}`);
    document.title = `#${room} · SocketCluster demo`;
    // The count first: the server publishes it because of the second subscription.
    const presence = this.#socket.subscribe(contract.channel('presence/:room', { room }));
    const messages = this.#socket.subscribe(this.#channelName);
    this.#channels = [presence, messages, this.#typing.follow(room)];
    void presence.each(({ count }) => {
      byId('here-text').textContent = `${count} here`;
      this.dispatchEvent(new CustomEvent('count', { detail: { [room]: count } }));
    });
    void messages.each((message) => this.#received(message));
    this.#outbox.open(room);
    this.#paint();
  }

  get #channelName(): `room/${string}` {
    return contract.channel('room/:room', { room: this.#room });
  }

  #received(message: ChatMessage): void {
    this.#outbox.settle(message.id);
    this.#messages.add(message);
    this.#typing.done(message.name);
    this.dispatchEvent(new Event('message'));
    this.#paint();
  }

  async #joined(): Promise<void> {
    const room = this.#room;
    try {
      // Also after a reconnect: what was said meanwhile is fetched.
      const { messages } = await this.#socket.invoke('history', { room });
      if (room === this.#room) {
        for (const { id } of messages) this.#outbox.settle(id);
        this.#messages.merge(messages);
      }
    } catch {
      // The room works without its past.
    }
    if (room !== this.#room) return;
    this.#state = 'joined';
    this.#paint();
  }

  #refused(error: unknown, text: string): void {
    this.#state = 'refused';
    this.#messages.clear();
    this.#typing.clear();
    byId('here-text').textContent = '–';
    const needsLogin = (error as Error | null)?.name === 'LoginRequiredError';
    byId('refused-title').textContent = needsLogin ? 'Members only' : 'You cannot join this room';
    byId('refused-text').textContent = text;
    byId('refused-log-in').hidden = !needsLogin;
    this.#paint();
  }

  #wireComposer(): void {
    this.#composer.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#composer.requestSubmit();
    });
    this.#text.addEventListener('input', () => {
      this.#complain('');
      if (this.#text.value.trim() !== '') this.#typing.tell(this.#room, this.#account.nickname);
      this.#paint();
    });
  }

  /** What fits the contract goes to the outbox, connected or not; anything else stays in the field. */
  #submit(): void {
    if (this.#text.value.trim() === '' || this.#state === 'refused') return;
    const checked = v.safeParse(messageText, this.#text.value);
    if (!checked.success) {
      this.#complain(`Not sent. ${checked.issues[0].message}`);
      this.#paint();
      return;
    }
    this.#text.value = '';
    this.#complain('');
    this.#typing.finish();
    this.#outbox.add(checked.output, this.#account.nickname);
    this.#messages.toEnd('instant');
  }

  #complain(text: string): void {
    byId('composer-alert').textContent = text;
    this.#problem = text;
  }

  #paint(): void {
    const isQuiet = this.#messages.isEmpty && this.#outbox.isEmpty;
    byId('chat').dataset['state'] = this.#state;
    byId('chat-refused').hidden = this.#state !== 'refused';
    byId('outbox').hidden = this.#state === 'refused';
    byId('chat-empty').hidden = this.#state !== 'joined' || !isQuiet;
    this.#text.disabled = this.#state === 'refused';
    this.#send.disabled = this.#state === 'refused';
    const length = Array.from(this.#text.value).length;
    byId('composer-count').textContent = length > COUNT_FROM ? `${length} / ${MAX_TEXT_LENGTH}` : '';
    byId('composer-count').classList.toggle('over', length > MAX_TEXT_LENGTH);
    const status = byId('composer-status');
    status.textContent = this.#problem || this.#hint();
    status.classList.toggle('problem', this.#problem !== '');
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }

  #hint(): string {
    if (this.#state === 'refused') return 'You cannot write here.';
    if (this.#socket.state !== 'open') return 'Messages are sent when the connection is back.';
    if (this.#state === 'joining') return 'Joining…';
    const { name, member } = this.#account.person;
    return member ? `Writing as ${name}` : `Writing as ${name}, a guest`;
  }
}
