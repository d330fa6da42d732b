import { byId } from './element.js';

const SHOWN_MS = 3500;
let timer = 0;

/** Shows a short notice at the head of the page; a newer one takes its place. */
export function toast(text: string): void {
  const box = byId('toast');
  box.textContent = text;
  box.dataset['shown'] = 'true';
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    box.dataset['shown'] = 'false';
  }, SHOWN_MS);
}
