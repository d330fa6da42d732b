/**
 * Panels of horizontal bars, as one SVG without anything from outside. Every axis begins at zero and has ticks; a thin line shows the
 * least and the most of all rounds; panels have axes of their own, because they differ in what they count.
 */
import { AXIS, drawSheet, PANEL_HEAD, panelHead } from './sheet.mjs';
import { axisFor, round, text } from './svg.mjs';

const ROW = 22;
const BAR = 14;
/** Room for the names of the servers, and for the value behind a bar. */
const NAMES = 154;
const VALUES = 48;

/**
 * @typedef {{ label: string, value: number, min: number, max: number, text: string, kind: 'ours' | 'peer' | 'ruler' }} Bar
 * @typedef {{ title: string, unit: string, bars: Bar[] }} Panel
 */

/**
 * Draws a chart.
 * @param {{ title: string, subtitle: string, footer: string, columns: number, panels: Panel[] }} chart
 * @param {import('./themes.mjs').Theme} theme
 * @returns {string} SVG
 */
export function barChart({ panels, ...chart }, theme) {
  const content = {
    height: PANEL_HEAD + AXIS + ROW * Math.max(...panels.map(({ bars }) => bars.length)),
    panels,
    draw: (panel, width) => drawPanel(panel, width, theme),
    describe: described,
  };
  return drawSheet(chart, content, theme);
}

function drawPanel({ title, unit, bars }, width, theme) {
  const plotWidth = width - NAMES - VALUES;
  const axis = axisFor(Math.max(...bars.map(({ max }) => max)));
  const scale = (value) => round(NAMES + (value / axis.end) * plotWidth);
  const bottom = PANEL_HEAD + bars.length * ROW;
  const parts = [...panelHead({ title, unit }, theme)];
  for (const tick of axis.ticks) {
    const x = scale(tick);
    parts.push(
      `<line x1="${x}" y1="${PANEL_HEAD - 4}" x2="${x}" y2="${bottom}" stroke="${tick === 0 ? theme.quiet : theme.grid}"/>`,
      text(String(tick), { x, y: bottom + 15, size: 10, fill: theme.quiet, anchor: 'middle' }),
    );
  }
  for (const [index, bar] of bars.entries()) {
    const y = PANEL_HEAD + index * ROW;
    const middle = y + BAR / 2;
    const isOurs = bar.kind === 'ours';
    parts.push(
      text(bar.label, {
        x: NAMES - 8,
        y: middle + 4,
        size: 12,
        weight: isOurs ? 600 : 400,
        fill: theme.text,
        anchor: 'end',
      }),
      `<rect x="${NAMES}" y="${y}" width="${round(Math.max(1, scale(bar.value) - NAMES))}" height="${BAR}" rx="2" fill="${theme[bar.kind]}"/>`,
      `<line x1="${scale(bar.min)}" y1="${middle}" x2="${scale(bar.max)}" y2="${middle}" stroke="${theme.spread}" stroke-width="1.5" opacity="0.7"/>`,
      text(bar.text, {
        x: scale(bar.max) + 6,
        y: middle + 4,
        size: 11,
        weight: isOurs ? 600 : 400,
        fill: theme.text,
      }),
    );
  }
  return parts.join('\n');
}

/** What the panel shows, for those who cannot see it. */
function described({ title, unit, bars }) {
  return `${title} (${unit}): ${bars.map((bar) => `${bar.label} ${bar.text}`).join(', ')}.`;
}
