import { each } from './each.js';
import { byId } from './element.js';
import { toast } from './toast.js';

const CLOSE_RESTART = 1012;
/** For so long after the server announced a restart its absence is called one. */
const RESTART_MS = 20_000;
const COUNTDOWN_STEP_MS = 200;

/** Owns what the page shows of the connection: the pill in the header and the banner below it. */
export class ConnectionView {
  #socket;
  #pill = byId('connection');
  #banner = byId('banner');
  #wasOpen = false;
  #restartAt = Number.NEGATIVE_INFINITY;
  #retryAt = 0;
  #countdown = 0;
  #announced = '';

  /** @param {import('./socket.js').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /** Begins to follow the socket. */
  start() {
    const socket = this.#socket;
    each(socket.listener('connecting'), () => this.#connecting());
    each(socket.listener('connect'), () => this.#open());
    each(socket.listener('close'), ({ code }) => this.#closed(code));
    byId('banner-retry').addEventListener('click', () => socket.connect());
    // What was lost with the network comes back with it, without waiting for the next attempt.
    window.addEventListener('online', () => socket.connect());
  }

  #connecting() {
    clearInterval(this.#countdown);
    this.#pillShows('connecting', this.#wasOpen ? 'Reconnecting…' : 'Connecting…');
    byId('banner-detail').textContent = 'Trying now…';
  }

  #open() {
    clearInterval(this.#countdown);
    if (!this.#banner.hidden) toast('Connected again');
    this.#banner.hidden = true;
    this.#wasOpen = true;
    this.#restartAt = Number.NEGATIVE_INFINITY;
    this.#pillShows('open', 'Connected');
    this.#announce('Connected');
  }

  /** @param {number} code */
  #closed(code) {
    const now = performance.now();
    if (code === CLOSE_RESTART) this.#restartAt = now;
    byId('banner-title').textContent = this.#reason(now);
    this.#announce(this.#reason(now));
    this.#banner.hidden = false;
    clearInterval(this.#countdown);
    if (!this.#socket.pendingReconnect) {
      this.#pillShows('closed', 'Disconnected');
      byId('banner-detail').textContent = 'It does not reconnect by itself.';
      return;
    }
    this.#retryAt = now + (this.#socket.pendingReconnectTimeout ?? 0);
    this.#countDown();
    this.#countdown = setInterval(() => this.#countDown(), COUNTDOWN_STEP_MS);
  }

  /** @param {number} now */
  #reason(now) {
    if (now - this.#restartAt < RESTART_MS) return 'The server is restarting.';
    return this.#wasOpen ? 'The connection was lost.' : 'The server cannot be reached.';
  }

  #countDown() {
    const seconds = Math.max(1, Math.ceil((this.#retryAt - performance.now()) / 1000));
    this.#pillShows('waiting', `Reconnecting in ${seconds} s`);
    byId('banner-detail').textContent = `Next try in ${seconds} s.`;
  }

  /**
   * @param {'connecting' | 'open' | 'waiting' | 'closed'} state
   * @param {string} text
   */
  #pillShows(state, text) {
    this.#pill.dataset['state'] = state;
    byId('connection-text').textContent = text;
  }

  /** @param {string} text A screen reader hears each change of state once, not each second of the countdown. */
  #announce(text) {
    if (text === this.#announced) return;
    this.#announced = text;
    byId('connection-announcement').textContent = text;
  }
}
