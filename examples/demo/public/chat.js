import { each } from './each.js';
import { byId } from './element.js';
import { errorText } from './error-text.js';
import { MessageList } from './message-list.js';

const MAX_TEXT_LENGTH = 500;
const COUNT_FROM = 400;

/**
 * @typedef {import('./socket.js').Socket} Socket
 * @typedef {import('./socket.js').Channel} Channel
 */

/**
 * Owns the open room: its subscription, its messages, and what is being written. Sends `message` for each
 * that came in, and `count` with how many are here.
 */
export class Chat extends EventTarget {
  #socket;
  #account;
  #messages;
  #room = '';
  /** @type {Channel[]} */
  #channels = [];
  /** @type {'joining' | 'joined' | 'refused'} */
  #state = 'joining';
  #sending = false;
  #composer = /** @type {HTMLFormElement} */ (byId('composer'));
  #text = /** @type {HTMLTextAreaElement} */ (byId('composer-text'));
  #send = /** @type {HTMLButtonElement} */ (byId('send'));

  /**
   * @param {Socket} socket
   * @param {import('./account.js').Account} account
   */
  constructor(socket, account) {
    super();
    this.#socket = socket;
    this.#account = account;
    this.#messages = new MessageList(({ name, member }) => {
      const { person } = account;
      return member === person.member && name === person.name;
    });
    each(socket.listener('subscribe'), ({ channel }) => {
      if (channel === this.#channelName) void this.#joined();
    });
    each(socket.listener('subscribeFail'), ({ channel, error }) => {
      if (channel === this.#channelName) this.#refused(error?.name, errorText(error));
    });
    each(socket.listener('kickOut'), ({ channel, message }) => {
      if (channel === this.#channelName)
        this.#refused('LoginRequiredError', `${message} This room is for members.`);
    });
    for (const event of ['connect', 'close']) each(socket.listener(event), () => this.#paint());
    account.addEventListener('change', () => {
      this.#messages.repaint();
      if (this.#state === 'refused' && account.person.member) this.join(this.#room);
      this.#paint();
    });
    byId('refused-log-in').addEventListener('click', () => account.open('login'));
    this.#wireComposer();
  }

  /**
   * Leaves the room that is open and joins another; joining the same one again is a new attempt.
   *
   * @param {string} room
   */
  join(room) {
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
    const presence = this.#socket.subscribe(`presence/${room}`);
    const messages = this.#socket.subscribe(this.#channelName);
    this.#channels = [presence, messages];
    each(presence, ({ count }) => {
      byId('here-text').textContent = `${count} here`;
      this.dispatchEvent(new CustomEvent('count', { detail: { [room]: count } }));
    });
    each(messages, (message) => {
      this.#messages.add(message);
      this.dispatchEvent(new Event('message'));
      this.#paint();
    });
    this.#paint();
  }

  get #channelName() {
    return `room/${this.#room}`;
  }

  async #joined() {
    const room = this.#room;
    try {
      // Also after a reconnect: what was said meanwhile is fetched.
      const { messages } = await this.#socket.invoke('history', { room });
      if (room === this.#room) this.#messages.merge(messages);
    } catch {
      // The room works without its past.
    }
    if (room !== this.#room) return;
    this.#state = 'joined';
    this.#paint();
  }

  /**
   * @param {string | undefined} name
   * @param {string} text
   */
  #refused(name, text) {
    this.#state = 'refused';
    this.#messages.clear();
    byId('here-text').textContent = '–';
    const needsLogin = name === 'LoginRequiredError';
    byId('refused-title').textContent = needsLogin ? 'Members only' : 'You cannot join this room';
    byId('refused-text').textContent = text;
    byId('refused-log-in').hidden = !needsLogin;
    this.#paint();
  }

  #wireComposer() {
    this.#composer.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#publish();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#composer.requestSubmit();
    });
    this.#text.addEventListener('input', () => {
      this.#complain('');
      this.#paint();
    });
  }

  async #publish() {
    const text = this.#text.value.trim();
    if (text === '' || this.#sending || !this.#canSend) return;
    this.#sending = true;
    this.#text.value = '';
    this.#complain('');
    this.#paint();
    try {
      await this.#socket.invokePublish(this.#channelName, { text, nickname: this.#account.nickname });
    } catch (error) {
      // What was typed meanwhile is not thrown away for what failed.
      if (this.#text.value === '') this.#text.value = text;
      this.#complain(`Not sent. ${errorText(error)}`);
    }
    this.#sending = false;
    this.#paint();
  }

  get #canSend() {
    return this.#socket.state === 'open' && this.#state === 'joined';
  }

  /** @param {string} text */
  #complain(text) {
    byId('composer-alert').textContent = text;
    this.#composer.dataset['problem'] = text;
  }

  #paint() {
    byId('chat').dataset['state'] = this.#state;
    byId('chat-refused').hidden = this.#state !== 'refused';
    byId('chat-empty').hidden = this.#state !== 'joined' || !this.#messages.isEmpty;
    this.#text.disabled = this.#state === 'refused';
    this.#send.disabled = !this.#canSend;
    const length = Array.from(this.#text.value).length;
    byId('composer-count').textContent = length > COUNT_FROM ? `${length} / ${MAX_TEXT_LENGTH}` : '';
    byId('composer-count').classList.toggle('over', length > MAX_TEXT_LENGTH);
    const problem = this.#composer.dataset['problem'] ?? '';
    const status = byId('composer-status');
    status.textContent = problem || this.#hint();
    status.classList.toggle('problem', problem !== '');
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }

  #hint() {
    if (this.#state === 'refused') return 'You cannot write here.';
    if (this.#socket.state !== 'open') return 'Waiting for the connection…';
    if (this.#state === 'joining') return 'Joining…';
    const { name, member } = this.#account.person;
    return member ? `Writing as ${name}` : `Writing as ${name}, a guest`;
  }
}
