// Bundles the scripts and the style sheet of the HTML pages (src/report/html/page/) into dist/report/html/: part of `npm run build`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const licence = readFileSync(new URL('../node_modules/uplot/LICENSE', import.meta.url), 'utf8').trim();

await build({
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  // One script per kind of page; page.css is the style of all of them.
  entryPoints: ['run.ts', 'comparison.ts', 'runs-index.ts', 'page.css'].map((name) => `src/report/html/page/${name}`),
  outdir: 'dist/report/html',
  bundle: true,
  minify: true,
  format: 'iife',
  // What Safari, Firefox and Chromium of 2022 know: reports are kept, and opened on whatever is at hand.
  target: ['es2021', 'chrome100', 'firefox100', 'safari15'],
  charset: 'utf8',
  // Whoever gets a page gets a copy of uPlot: its licence asks that this goes with it.
  banner: { js: `/*! uPlot: ${licence.replaceAll('*/', '')} */` },
  legalComments: 'inline',
  logLevel: 'warning',
});
