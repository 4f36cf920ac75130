/** The frame of every page: one file that loads nothing, with its style, its script and its data inside, and a policy that proves it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Html, html, jsonForScript, raw } from './escape.js';

/** A page. */
export interface Page {
  title: string;
  /** What is inside `<body>`: a header, a `<main id="main">`. */
  body: Html;
  /** What the page's script reads, under the id `data`. */
  data: unknown;
  /** Name of the script in `page/`, without its ending: one per kind of page. */
  script: string;
}

/** `npm run build` puts them here, whether this file itself is in `src/` or in `dist/`. */
const BUILT = new URL('../../../dist/report/html/', import.meta.url);
const asset = (name: string) => readFileSync(new URL(name, BUILT), 'utf8');
/** As a source of the policy: only what has exactly this text is applied or run. */
const sourceOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The whole file. */
export function renderPage({ title, body, data, script: name }: Page): string {
  const style = asset('page.css');
  const script = asset(`${name}.js`);
  const policy = [
    "default-src 'none'",
    `style-src ${sourceOf(style)}`,
    `script-src ${sourceOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Port Party">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
${body}
<script type="application/json" id="data">${jsonForScript(data)}</script>
<script>${raw(script)}</script>
</body>
</html>
`.html;
}
