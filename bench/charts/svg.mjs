/** What the charts are made of. */

const TICKS = 4;

/** Round ticks from zero to at least `most`. */
export function axisFor(most) {
  const rough = (most || 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const count = Math.ceil(most / step) || 1;
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(4)));
  return { ticks, end: ticks.at(-1) };
}

/** A line of text. */
export function text(content, { x, y, size, fill, weight = 400, anchor = 'start' }) {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** Text as it must be written in SVG. */
export function escaped(content) {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A coordinate to a tenth. */
export function round(value) {
  return Math.round(value * 10) / 10;
}
