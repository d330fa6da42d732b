import { byId } from './element.js';

const SHOWN_MS = 3500;
let timer = 0;

/**
 * Shows a short notice at the foot of the page; a newer one takes its place.
 *
 * @param {string} text
 */
export function toast(text) {
  const box = byId('toast');
  box.textContent = text;
  box.dataset['shown'] = 'true';
  clearTimeout(timer);
  timer = setTimeout(() => {
    box.dataset['shown'] = 'false';
  }, SHOWN_MS);
}
