// `npm run build` leaves hashed files in dist/ (or --outDir); cmake/embed.cmake puts them into the program.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// The service worker is told which files belong to this version.
function fileList() {
  return {
    name: 'parley-file-list',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['sw.js'];
      // Languages and the admin page are fetched when they are wanted.
      const files = Object.keys(bundle).filter((name) => name !== 'sw.js' && !/\/(admin|lang)-/.test(name)).sort();
      const hash = createHash('sha256').update(JSON.stringify(files));
      for (const name of files) hash.update(bundle[name].code ?? bundle[name].source ?? '');
      const list = [...files.map((name) => (name === 'index.html' ? '/' : `/${name}`)), '/favicon.svg'];
      worker.code = worker.code.replace(/["'`]__FILES__["'`]/, JSON.stringify(list).slice(1, -1))
        .replace('__VERSION__', hash.digest('hex').slice(0, 12));
    },
  };
}

// Emoji and their names by group, as little text as it takes.
function emoji() {
  return {
    name: 'parley-emoji',
    resolveId: (id) => (id === 'virtual:emoji' ? '\0emoji' : undefined),
    load(id) {
      if (id !== '\0emoji') return undefined;
      const groups = JSON.parse(readFileSync(here('node_modules/unicode-emoji-json/data-by-group.json'), 'utf8'));
      const text = groups.map(({ emojis }) => emojis.map((each) => `${each.emoji} ${each.name}`).join('\n')).join('\n\n');
      return `export default ${JSON.stringify(text)}`;
    },
  };
}

export default defineConfig({
  root: here('.'),
  resolve: { alias: { '@parley/client': here('../clients/js/src/index.ts'), '@': here('src') } },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: here('index.html'), sw: here('src/offline/sw.ts') },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  plugins: [fileList(), emoji()],
  server: {
    proxy: { '/v1/ws': { target: 'ws://127.0.0.1:8080', ws: true }, '/v1': 'http://127.0.0.1:8080' },
  },
});
