/** Panels of lines over time, as one SVG without anything from outside. Every axis begins at zero; panels have axes of their own. */
import { AXIS, drawSheet, PANEL_HEAD, panelHead } from './sheet.mjs';
import { axisFor, round, text } from './svg.mjs';

const LABEL_HEIGHT = 14;
const PLOT = 110;
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
export function lineChart({ panels, ...chart }, theme) {
  const content = {
    height: PANEL_HEAD + PLOT + AXIS,
    panels,
    draw: (panel, width) => drawPanel(panel, width, theme),
    describe: described,
  };
  return drawSheet(chart, content, theme);
}

function drawPanel({ title, unit, points, lines = [{ label: '', kind: 'ours', points }] }, width, theme) {
  const all = lines.flatMap((line) => line.points);
  const across = axisFor(Math.max(...all.map(({ x }) => x)));
  const up = axisFor(Math.max(...all.map(({ y }) => y)));
  const bottom = PANEL_HEAD + PLOT;
  const toX = (value) => round(NUMBERS + (value / across.end) * (width - NUMBERS));
  const toY = (value) => round(bottom - (value / up.end) * PLOT);
  const parts = [...panelHead({ title, unit }, theme)];
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
