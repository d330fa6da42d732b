import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('src/client', import.meta.url)),
  // Relative, so that the page works under any path.
  base: './',
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    assetsDir: '.',
    // Everything is a file: the policy of the page allows no data in addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
  },
});
