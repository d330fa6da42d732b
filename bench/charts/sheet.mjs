/** The sheet that every chart is drawn on: title, panels side by side, footer. */
import { escaped, text } from './svg.mjs';

const WIDTH = 860;
const MARGIN = 20;
const GAP = 28;
const HEAD = 62;
const FOOT = 44;

/** Above what a panel shows: its title and its unit. */
export const PANEL_HEAD = 44;
/** Below it: the numbers of the horizontal axis. */
export const AXIS = 26;

/**
 * Puts panels on a sheet.
 * @param {{ title: string, subtitle: string, footer: string, columns: number }} chart
 * @param {{ height: number, panels: object[], draw: (panel: object, width: number) => string, describe: (panel: object) => string }} content
 *   `height` of each panel, its head and axis included; `draw` gives SVG from 0,0; `describe` says what it shows, for those who cannot see
 * @param {import('./themes.mjs').Theme} theme
 * @returns {string} SVG
 */
export function drawSheet({ title, subtitle, footer, columns }, { height, panels, draw, describe }, theme) {
  const panelWidth = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns;
  const rows = Math.ceil(panels.length / columns);
  const sheetHeight = HEAD + rows * (height + GAP) + FOOT - GAP;
  const drawn = panels.map((panel, index) => {
    const x = MARGIN + (index % columns) * (panelWidth + GAP);
    const y = HEAD + Math.floor(index / columns) * (height + GAP);
    return `<g transform="translate(${x} ${y})">${draw(panel, panelWidth)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${sheetHeight}" width="${WIDTH}" height="${sheetHeight}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(`${subtitle} ${panels.map(describe).join(' ')}`)}</desc>`,
    `<rect width="${WIDTH}" height="${sheetHeight}" rx="8" fill="${theme.background}"/>`,
    text(title, { x: MARGIN, y: 30, size: 18, weight: 600, fill: theme.text }),
    text(subtitle, { x: MARGIN, y: 48, size: 12, fill: theme.quiet }),
    ...drawn,
    text(footer, { x: MARGIN, y: sheetHeight - 16, size: 11, fill: theme.quiet }),
    '</svg>',
    '',
  ].join('\n');
}

/** The title and the unit of a panel. @returns {string[]} */
export function panelHead({ title, unit }, theme) {
  return [
    text(title, { x: 0, y: 14, size: 13, weight: 600, fill: theme.text }),
    text(unit, { x: 0, y: 31, size: 11, fill: theme.quiet }),
  ];
}
