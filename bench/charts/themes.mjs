/**
 * The colours of the charts. One colour stands out, for ours; servers one could use instead are of one grey, the rulers of another.
 * @typedef {{ background: string, text: string, quiet: string, grid: string, ours: string, peer: string, ruler: string, spread: string }} Theme
 */

/** @type {Record<'light' | 'dark', Theme>} */
export const themes = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    quiet: '#59636e',
    grid: '#e3e6ea',
    ours: '#0f766e',
    peer: '#9aa4b0',
    ruler: '#c3cad2',
    spread: '#1f2328',
  },
  dark: {
    background: '#0d1117',
    text: '#f0f6fc',
    quiet: '#9198a1',
    grid: '#2b3138',
    ours: '#2dd4bf',
    peer: '#6e7781',
    ruler: '#444c56',
    spread: '#f0f6fc',
  },
};
