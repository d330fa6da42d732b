import { byId } from './element.js';
import type { DemoSocket } from './socket.js';
import { toast } from './toast.js';

const CLOSE_RESTART = 1012;
/** For so long after the server announced a restart its absence is called one. */
const RESTART_MS = 20_000;
const COUNTDOWN_STEP_MS = 200;
/** So long the client takes to find out whether a connection has outlived the network. */
const CHECK_MS = 4000;

/** Owns what the page shows of the connection: the pill in the header and the banner below it. */
export class ConnectionView {
  readonly #socket: DemoSocket;
  readonly #pill = byId('connection');
  readonly #banner = byId('banner');
  #wasOpen = false;
  #isLost = false;
  #check = 0;
  #restartAt = Number.NEGATIVE_INFINITY;
  #retryAt = 0;
  #countdown = 0;
  #announced = '';

  constructor(socket: DemoSocket) {
    this.#socket = socket;
  }

  /** Begins to follow the socket. */
  start(): void {
    const socket = this.#socket;
    void socket.listener('connecting').each(() => this.#connecting());
    void socket.listener('connect').each(() => this.#opened());
    void socket.listener('close').each(({ code }) => this.#closed(code));
    byId('banner-retry').addEventListener('click', () => socket.connect());
    // The client looks after the connection itself: at these events it asks the server for a sign of life, and tries
    // again at once. Only what is shown depends on them here.
    window.addEventListener('offline', () => this.#offline());
    window.addEventListener('online', () => {
      if (socket.state === 'open') this.#opened();
    });
  }

  #connecting(): void {
    clearInterval(this.#countdown);
    this.#pillShows('connecting', this.#wasOpen ? 'Reconnecting…' : 'Connecting…');
    byId('banner-detail').textContent = 'Trying now…';
  }

  #opened(): void {
    clearInterval(this.#countdown);
    window.clearTimeout(this.#check);
    if (this.#isLost) toast('Connected again');
    this.#isLost = false;
    this.#banner.hidden = true;
    this.#wasOpen = true;
    this.#restartAt = Number.NEGATIVE_INFINITY;
    this.#pillShows('open', 'Connected');
    this.#announce('Connected');
  }

  /** The network is gone. Whether the connection is too, turns out in a moment: a server on this machine stays. */
  #offline(): void {
    if (this.#socket.state !== 'open') return;
    this.#pillShows('waiting', 'Offline');
    this.#showBanner('You are offline.', 'Checking the connection…');
    window.clearTimeout(this.#check);
    this.#check = window.setTimeout(() => {
      if (this.#socket.state === 'open') this.#opened();
    }, CHECK_MS);
  }

  #closed(code: number): void {
    const now = performance.now();
    this.#isLost = this.#wasOpen;
    if (code === CLOSE_RESTART) this.#restartAt = now;
    clearInterval(this.#countdown);
    if (!this.#socket.pendingReconnect) {
      this.#pillShows('closed', 'Disconnected');
      this.#showBanner(this.#reason(now), 'It does not reconnect by itself.');
      return;
    }
    this.#showBanner(this.#reason(now), '');
    this.#retryAt = now + (this.#socket.pendingReconnectTimeout ?? 0);
    this.#countDown();
    this.#countdown = window.setInterval(() => this.#countDown(), COUNTDOWN_STEP_MS);
  }

  #reason(now: number): string {
    if (!navigator.onLine) return 'You are offline.';
    if (now - this.#restartAt < RESTART_MS) return 'The server is restarting.';
    return this.#wasOpen ? 'The connection was lost.' : 'The server cannot be reached.';
  }

  #countDown(): void {
    const seconds = Math.max(1, Math.ceil((this.#retryAt - performance.now()) / 1000));
    this.#pillShows('waiting', navigator.onLine ? `Reconnecting in ${seconds} s` : 'Offline');
    byId('banner-detail').textContent = `Next try in ${seconds} s.`;
  }

  #showBanner(title: string, detail: string): void {
    byId('banner-title').textContent = title;
    byId('banner-detail').textContent = detail;
    this.#announce(title);
    this.#banner.hidden = false;
  }

  #pillShows(state: 'connecting' | 'open' | 'waiting' | 'closed', text: string): void {
    this.#pill.dataset['state'] = state;
    byId('connection-text').textContent = text;
  }

  /** A screen reader hears each change of state once, not each second of the countdown. */
  #announce(text: string): void {
    if (text === this.#announced) return;
    this.#announced = text;
    byId('connection-announcement').textContent = text;
  }
}
