// Makes the pictures of README and docs/ (and the README's text of a terminal) from real runs, so that they never go stale:
//
//     npm run pictures             runs scenarios/ticket-sale.yaml in a terminal and takes the pictures; needs Chromium and script(1)
//     pictures.mjs --check         exits 1 when what they show has changed since (part of `npm run check`)
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const SCENARIO = 'scenarios/ticket-sale.yaml';
const PICTURES = 'docs/pictures';
const MADE_FROM = `${PICTURES}/made-from.txt`;
const COLUMNS = 104;
const ROWS = 60;
/** The end of a frame of the live view (src/report/live/screen.ts). */
const FRAME_END = '\x1b[?2026l';

/** One number for everything that the pictures are a picture of. */
function fingerprint() {
  const hash = createHash('sha256');
  const files = readdirSync('src/report', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const file of [...files.sort(), SCENARIO]) hash.update(`${file}\0`).update(readFileSync(file));
  return `${hash.digest('hex')}\n`;
}

if (process.argv.includes('--check')) {
  if (readFileSync(MADE_FROM, 'utf8') !== fingerprint()) {
    console.error(`${PICTURES}: what they show (src/report, ${SCENARIO}) has changed since they were made: npm run pictures`);
    process.exitCode = 1;
  }
} else await makePictures();

async function makePictures() {
  const { chromium } = await import('playwright-core');
  const look = 'for name in "$PORTPARTY_CHROMIUM" chromium google-chrome chromium-browser; do command -v "$name" && break; done';
  const found = spawnSync('sh', ['-c', look], { encoding: 'utf8' });
  const [executablePath] = found.stdout.split('\n');
  if (executablePath === '') throw new Error('no Chromium is on PATH: node scripts/prepare-browser.mjs');
  const scratch = mkdtempSync(join(tmpdir(), 'portparty-pictures-'));
  const out = join(scratch, 'results');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const shown = runInTerminal(out);
    await terminalPictures(browser, shown);
    await reportPictures(browser, join(out, 'latest', 'report.html'));
    await readmeText(out);
    await pagesOfRuns(browser, out);
    writeFileSync(MADE_FROM, fingerprint());
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** All that a terminal is sent while the scenario runs. */
function runInTerminal(out) {
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec '${process.execPath}' dist/cli/main.js run ${SCENARIO} --out '${out}'`;
  const { status, stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
    env: { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`the run ended with exit code ${status}:\n${stdout.slice(-2000)}`);
  // The record's folder is a temporary one.
  return stdout.replace(/^(record|report): .*\r\n/gm, '');
}

async function terminalPictures(browser, shown) {
  const page = await browser.newPage({ viewport: { width: 1100, height: 1400 }, deviceScaleFactor: 1.5 });
  await page.setContent('<body style="margin:0;background:#14171a"><div id="terminal" style="padding:14px;width:max-content"></div>');
  await page.addStyleTag({ path: 'node_modules/@xterm/xterm/css/xterm.css' });
  await page.addScriptTag({ path: 'node_modules/@xterm/xterm/lib/xterm.js' });
  const frames = shown.split(FRAME_END);
  /** Writes into a fresh terminal; gives the index of the last frame of the first variant that tells of drops, and the lines at the end. */
  const write = (parts) =>
    page.evaluate(
      async ({ parts, columns, rows }) => {
        document.querySelector('#terminal').replaceChildren();
        const terminal = new Terminal({
          cols: columns,
          rows,
          fontFamily: '"DejaVu Sans Mono", monospace',
          fontSize: 14,
          cursorInactiveStyle: 'none',
          theme: { background: '#14171a', foreground: '#e6e6e6' },
        });
        terminal.open(document.querySelector('#terminal'));
        const { active } = terminal.buffer;
        const lines = () =>
          Array.from({ length: active.length }, (_, row) => active.getLine(row).translateToString(true));
        let best = 0;
        for (const [index, part] of parts.entries()) {
          await new Promise((done) => terminal.write(part, done));
          const text = lines().join('\n');
          if (/as-shipped \(1 of/.test(text) && /sending/.test(text) && /timed out/.test(text)) best = index;
        }
        return { best, lines: lines() };
      },
      { parts, columns: COLUMNS, rows: ROWS },
    );
  const picture = async (name, lines) => {
    const last = lines.findLastIndex((line) => line.trim() !== '');
    const { x, y, width, height } = await page.locator('.xterm-screen').boundingBox();
    const clip = { x: 0, y: 0, width: x + width + 14, height: y + (height / ROWS) * (last + 1) + 14 };
    await page.screenshot({ path: `${PICTURES}/${name}.png`, clip });
  };
  const { best } = await write(frames);
  const { lines } = await write([frames.slice(0, best + 1).join(FRAME_END) + FRAME_END]);
  await picture('live-view', lines);
  await page.close();
}

async function reportPictures(browser, report) {
  const open = async (width, height, colorScheme) => {
    const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 1.5, colorScheme });
    await page.goto(`file://${report}`);
    return page;
  };
  const wide = await open(1180, 900, 'light');
  await wide.screenshot({ path: `${PICTURES}/report.png` });
  for (const [name, section] of [
    ['report-losses', '#losses'],
    ['report-time', '#time'],
    ['report-latency', '#latency'],
  ])
    await wide.locator(section).screenshot({ path: `${PICTURES}/${name}.png` });
  const phone = await open(390, 800, 'dark');
  await phone.screenshot({ path: `${PICTURES}/report-phone.png` });
}

/** The pages of several runs: the same sale at larger and larger pools. */
async function pagesOfRuns(browser, out) {
  const portparty = (...args) => {
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { encoding: 'utf8' });
    if (status > 1) throw new Error(`portparty ${args.join(' ')} ended with exit code ${status}:\n${stderr}`);
  };
  for (const ports of ['20000-20599', '20000-20799'])
    portparty('run', SCENARIO, '--out', out, '--quiet', '--variant', 'as-shipped', '--set', `topology.edge.ports=${ports}`);
  const runs = readdirSync(out).filter((name) => name.includes('-ticket-sale-'));
  const comparison = join(out, 'comparison.html');
  portparty('report', ...runs.sort().map((name) => join(out, name)), '--out', comparison);
  portparty('report', '--index', out);
  for (const [name, file] of [
    ['comparison', comparison],
    ['index', join(out, 'index.html')],
  ]) {
    const page = await browser.newPage({ viewport: { width: 1180, height: 1300 }, deviceScaleFactor: 1.5 });
    await page.goto(`file://${file}`);
    await page.screenshot({ path: `${PICTURES}/report-${name}.png` });
    await page.close();
  }
}

/** The same result as text, for the README. */
async function readmeText(out) {
  const { renderRun } = await import('../dist/report/terminal.js');
  const record = JSON.parse(readFileSync(join(out, 'latest', 'run.json'), 'utf8'));
  const text = renderRun(record, { color: false, width: 120 }).trimEnd();
  const readme = readFileSync('README.md', 'utf8');
  const [begin, end] = ['<!-- terminal:ticket-sale -->', '<!-- /terminal -->'];
  const from = readme.indexOf(begin) + begin.length;
  writeFileSync('README.md', `${readme.slice(0, from)}\n\`\`\`text\n${text}\n\`\`\`\n${readme.slice(readme.indexOf(end))}`);
}
