const NAMESPACE = 'http://www.w3.org/2000/svg';
const WINDOW_MS = 60_000;
/** A longer silence between two samples is shown as a gap. */
const GAP_MS = 2500;
const SLIDE_MS = 1000;
const TOP_PX = 14;
const BOTTOM_PX = 20;

/** What was counted in one second; `at` in ms of the page's own clock. */
export interface Sample {
  readonly at: number;
  readonly server: number;
  readonly tab: number;
}

/** Owns the picture of the last minute: an area for the server, a line for this tab. */
export class Chart {
  #samples: Sample[] = [];
  #svg = make('svg', { role: 'img', 'aria-label': 'Messages per second in the last minute' });
  #grid = make('g', { class: 'grid' });
  #plot = make('g', {});
  #still = window.matchMedia('(prefers-reduced-motion: reduce)');
  readonly #box: HTMLElement;

  /** @param box The element to fill; its size decides the picture's. */
  constructor(box: HTMLElement) {
    this.#box = box;
    this.#svg.append(this.#grid, this.#plot);
    box.append(this.#svg);
    new ResizeObserver(() => this.draw(performance.now())).observe(box);
  }

  /** Adds what was counted in the last second. */
  add(sample: Sample): void {
    this.#samples.push(sample);
    this.draw(sample.at);
  }

  /** @param now Where the right edge of the picture is. */
  draw(now: number): void {
    const width = this.#box.clientWidth;
    const height = this.#box.clientHeight;
    if (width === 0 || height === 0) return;
    // One second more than is shown, so that the line leaves through the left edge.
    this.#samples = this.#samples.filter(({ at }) => now - at < WINDOW_MS + 2 * SLIDE_MS);
    const ceiling = niceCeiling(Math.max(0, ...this.#samples.flatMap(({ server, tab }) => [server, tab])));
    const x = (at: number) => width - ((now - at) / WINDOW_MS) * width;
    const y = (count: number) => height - BOTTOM_PX - (count / ceiling) * (height - TOP_PX - BOTTOM_PX);

    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#drawGrid(width, y, ceiling);
    this.#plot.replaceChildren();
    for (const run of withoutGaps(this.#samples)) {
      const server = run
        .map(({ at, server: count }) => `${x(at).toFixed(1)} ${y(count).toFixed(1)}`)
        .join('L');
      const tab = run.map(({ at, tab: count }) => `${x(at).toFixed(1)} ${y(count).toFixed(1)}`).join('L');
      const [first, last] = [run[0], run.at(-1)];
      if (first === undefined || last === undefined) continue;
      this.#plot.append(
        make('path', { class: 'area', d: `M${x(first.at)} ${y(0)}L${server}L${x(last.at)} ${y(0)}Z` }),
        make('path', { class: 'line server', d: `M${server}` }),
        make('path', { class: 'line tab', d: `M${tab}` }),
      );
    }
    if (this.#still.matches) return;
    const step = (SLIDE_MS / WINDOW_MS) * width;
    this.#plot.animate([{ transform: `translateX(${step}px)` }, { transform: 'none' }], SLIDE_MS);
  }

  #drawGrid(width: number, y: (count: number) => number, ceiling: number): void {
    const parts = [0, ceiling / 2, ceiling].flatMap((count) => [
      make('line', { x1: '0', x2: String(width), y1: String(y(count)), y2: String(y(count)) }),
      label(String(count), 0, y(count) - 4, 'start'),
    ]);
    const below = y(0) + 15;
    this.#grid.replaceChildren(
      // The lowest number would sit on the line it names.
      ...parts.filter((_part, index) => index !== 1),
      label('60 s ago', 0, below, 'start'),
      label('30 s', width / 2, below, 'middle'),
      label('now', width, below, 'end'),
    );
  }
}

/** Gives the next round number whose half is whole: 4, 6, 8, 10, 20, 40, 60 … */
function niceCeiling(highest: number): number {
  let power = 1;
  for (;;) {
    for (const step of [4, 6, 8, 10, 20]) {
      if (highest <= step * power) return step * power;
    }
    power *= 10;
  }
}

function withoutGaps(samples: readonly Sample[]): Sample[][] {
  const runs: Sample[][] = [];
  for (const sample of samples) {
    const run = runs.at(-1);
    const previous = run?.at(-1);
    if (run === undefined || previous === undefined || sample.at - previous.at > GAP_MS) runs.push([sample]);
    else run.push(sample);
  }
  return runs;
}

function label(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): SVGElement {
  const made = make('text', { x: String(x), y: String(y), 'text-anchor': anchor });
  made.textContent = text;
  return made;
}

function make(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
