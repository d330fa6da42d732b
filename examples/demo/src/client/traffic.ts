import type { Stats } from '../shared/contract.js';
import { Chart } from './chart.js';
import { byId } from './element.js';
import type { DemoSocket } from './socket.js';

const BURST_SIZE = 100;
const BURST_MS = 3000;
const BURST_STEP_MS = 50;
const REDRAW_MS = 1000;
/** So long without figures from the server, and the chart moves on by itself. */
const SILENCE_MS = 1600;

/** Owns the figures: counts what this tab receives and shows it beside what the server counts, second by second. */
export class Traffic {
  readonly #socket: DemoSocket;
  readonly #chart = new Chart(byId('chart'));
  #received = 0;
  #lastAt = 0;
  readonly #burst = byId('burst', HTMLButtonElement);

  constructor(socket: DemoSocket, showRoomCounts: (counts: Stats['rooms']) => void) {
    this.#socket = socket;
    void socket.subscribe('stats').each((stats) => {
      this.#sample(stats);
      showRoomCounts(stats.rooms);
    });
    void socket.subscribe('burst').each(() => this.count());
    void socket.listener('connect').each(() => this.#paintBurst());
    void socket.listener('close').each(() => {
      this.#paintBurst();
      for (const id of ['figure-server', 'figure-tab', 'clients']) byId(id).textContent = '–';
      byId('uptime').textContent = '';
    });
    this.#burst.addEventListener('click', () => this.#sendBurst());
    this.#paintBurst();
    setInterval(() => {
      const now = performance.now();
      if (now - this.#lastAt > SILENCE_MS) this.#chart.draw(now);
    }, REDRAW_MS);
  }

  /** Counts one message that this tab received. */
  count(): void {
    this.#received += 1;
  }

  #sample({ published, clients, upSeconds }: Stats): void {
    const tab = this.#received;
    this.#received = 0;
    this.#lastAt = performance.now();
    this.#chart.add({ at: this.#lastAt, server: published, tab });
    byId('figure-server').textContent = String(published);
    byId('figure-tab').textContent = String(tab);
    byId('clients').textContent = clients === 1 ? '1 tab connected' : `${clients} tabs connected`;
    byId('uptime').textContent = `Server up ${duration(upSeconds)}`;
  }

  #paintBurst(): void {
    this.#burst.disabled = this.#socket.state !== 'open';
  }

  /** Spread over a few seconds, so that it is a hill in the chart and not a spike. */
  #sendBurst(): void {
    this.#burst.disabled = true;
    let sent = 0;
    const timer = window.setInterval(() => {
      if (sent >= BURST_SIZE || this.#socket.state !== 'open') {
        clearInterval(timer);
        this.#paintBurst();
        return;
      }
      for (let n = 0; n < (BURST_SIZE * BURST_STEP_MS) / BURST_MS; n += 1) {
        sent += 1;
        if (sent <= BURST_SIZE) void this.#socket.transmitPublish('burst', null);
      }
    }, BURST_STEP_MS);
  }
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
