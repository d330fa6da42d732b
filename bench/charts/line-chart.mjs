/** Panels of lines over time, as one SVG without anything from outside. Every axis begins at zero; panels have axes of their own. */
import { axisFor, escaped, round, text } from './svg.mjs';

const WIDTH = 860;
const MARGIN = 20;
const GAP = 28;
const HEAD = 62;
const FOOT = 44;
const LABEL_HEIGHT = 14;
const PANEL_HEAD = 44;
const PLOT = 110;
const AXIS = 26;
/** Room for the numbers at the vertical axis. */
const NUMBERS = 44;

/**
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ label: string, kind: 'ours' | 'peer', points: Point[] }} Line
 * @typedef {{ title: string, unit: string, points?: Point[], lines?: Line[] }} LinePanel one line, or several with names
 */

/**
 * Draws a chart.
 * @param {{ title: string, subtitle: string, footer: string, columns: number, panels: LinePanel[] }} chart
 * @param {import('./themes.mjs').Theme} theme
 * @returns {string} SVG
 */
export function lineChart({ title, subtitle, footer, columns, panels }, theme) {
  const panelWidth = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns;
  const rows = Math.ceil(panels.length / columns);
  const panelHeight = PANEL_HEAD + PLOT + AXIS;
  const height = HEAD + rows * (panelHeight + GAP) + FOOT - GAP;
  const drawn = panels.map((panel, index) => {
    const x = MARGIN + (index % columns) * (panelWidth + GAP);
    const y = HEAD + Math.floor(index / columns) * (panelHeight + GAP);
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, panelWidth, theme)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(`${subtitle} ${panels.map(described).join(' ')}`)}</desc>`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="${theme.background}"/>`,
    text(title, { x: MARGIN, y: 30, size: 18, weight: 600, fill: theme.text }),
    text(subtitle, { x: MARGIN, y: 48, size: 12, fill: theme.quiet }),
    ...drawn,
    text(footer, { x: MARGIN, y: height - 16, size: 11, fill: theme.quiet }),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, unit, points, lines = [{ label: '', kind: 'ours', points }] }, width, theme) {
  const all = lines.flatMap((line) => line.points);
  const across = axisFor(Math.max(...all.map(({ x }) => x)));
  const up = axisFor(Math.max(...all.map(({ y }) => y)));
  const bottom = PANEL_HEAD + PLOT;
  const toX = (value) => round(NUMBERS + (value / across.end) * (width - NUMBERS));
  const toY = (value) => round(bottom - (value / up.end) * PLOT);
  const parts = [
    text(title, { x: 0, y: 14, size: 13, weight: 600, fill: theme.text }),
    text(unit, { x: 0, y: 31, size: 11, fill: theme.quiet }),
  ];
  for (const tick of up.ticks) {
    const y = toY(tick);
    parts.push(
      `<line x1="${NUMBERS}" y1="${y}" x2="${width}" y2="${y}" stroke="${tick === 0 ? theme.quiet : theme.grid}"/>`,
      text(String(tick), { x: NUMBERS - 6, y: y + 3, size: 10, fill: theme.quiet, anchor: 'end' }),
    );
  }
  for (const tick of across.ticks)
    parts.push(
      text(String(tick), { x: toX(tick), y: bottom + 15, size: 10, fill: theme.quiet, anchor: 'middle' }),
    );
  for (const { label, kind, points: own } of lines) {
    const path = own.map(({ x, y }) => `${toX(x)},${toY(y)}`).join(' ');
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${theme[kind]}" stroke-width="1.5" stroke-linejoin="round"/>`,
    );
    const last = own.at(-1);
    if (label === '' || last === undefined) continue;
    // Above its end, but not outside of the panel; below it where another line ends close above.
    const isCrowded = lines.some(({ points: other }) => {
      const above = other === own ? undefined : other.at(-1);
      return above !== undefined && above.y >= last.y && toY(last.y) - toY(above.y) < LABEL_HEIGHT;
    });
    const y = Math.max(toY(last.y) + (isCrowded ? LABEL_HEIGHT : -6), PANEL_HEAD + 8);
    const fill = kind === 'ours' ? theme.ours : theme.quiet;
    const weight = kind === 'ours' ? 600 : 400;
    parts.push(text(label, { x: toX(last.x), y, size: 11, weight, fill, anchor: 'end' }));
  }
  return parts.join('\n');
}

/** What the panel shows, for those who cannot see it. */
function described({ title, unit, points, lines = [{ label: '', points }] }) {
  return lines.map((line) => describedLine(title, unit, line)).join(' ');
}

function describedLine(title, unit, { label, points }) {
  const values = points.map(({ y }) => y);
  const [first, least, most, last] = [values[0], Math.min(...values), Math.max(...values), values.at(-1)].map(
    (value) => Number((value ?? 0).toPrecision(3)),
  );
  return `${title}${label === '' ? '' : `, ${label}`} (${unit}): ${first} at first, ${last} at last, between ${least} and ${most}.`;
}
