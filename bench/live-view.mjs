/**
 * What the live view of a run costs the measurement: the same scenario on a terminal of its own, with the view and without it, in turn.
 * Both are started by script(1); only where stderr goes is different. Lateness is the generator's own account, CPU that of its whole
 * process while traffic ran, view included (`generator` in series.ndjson).
 *
 *     npm run build && node bench/live-view.mjs [pairs] [scenario file] [option of run ...]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const [pairs = '6', scenario = 'scenarios/ticket-sale.yaml', ...given] = process.argv.slice(2);
const options = given.length > 0 ? given : ['--variant', 'as-shipped'];
const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;

const METRICS = {
  'late p50, ms': ({ generator }) => generator.lateP50Ms,
  'late p99, ms': ({ generator }) => generator.lateP99Ms,
  'late max, ms': ({ generator }) => generator.lateMaxMs,
  'CPU of the process, s': ({ cpuSeconds }) => cpuSeconds,
  'CPU of the sending thread, s': ({ generator }) => generator.cpuSeconds,
  'response p50, ms': ({ response }) => response.p50,
  'response p99, ms': ({ response }) => response.p99,
};

function measure(withView) {
  const out = mkdtempSync(join(tmpdir(), 'portparty-bench-'));
  try {
    const run = [process.execPath, MAIN, 'run', scenario, '--out', out, ...options].map(quoted).join(' ');
    const command = `stty cols 120 rows 40; ${run} >/dev/null${withView ? '' : ' 2>/dev/null'}`;
    const { error, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 28,
      env: { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    });
    if (error) throw error;
    const frames = String(stdout).split('\x1b[?2026h').length - 1;
    if (frames > 0 !== withView) throw new Error(`${frames} frames were painted:\n${stdout}`);
    const [variant] = JSON.parse(readFileSync(join(out, 'latest', 'run.json'), 'utf8')).variants;
    const series = readFileSync(join(out, 'latest', 'series.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const cpuSeconds = series.findLast(({ cpu }) => cpu !== undefined).cpu.generator;
    return {
      generator: variant.generator,
      response: variant.latency.response,
      cpuSeconds,
      frames,
      bytes: stdout.length,
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const rows = [];
for (let pair = 0; pair < Number(pairs); pair++) {
  // Every other pair the other way round: what drifts meets both alike.
  const order = pair % 2 === 0 ? [false, true] : [true, false];
  const row = {};
  for (const withView of order) row[withView ? 'view' : 'plain'] = measure(withView);
  rows.push(row);
  console.log(
    `pair ${pair + 1}: late p99 ${row.plain.generator.lateP99Ms.toFixed(2)} ms without, ${row.view.generator.lateP99Ms.toFixed(2)} ms with; ` +
      `CPU ${row.plain.cpuSeconds.toFixed(2)} s, ${row.view.cpuSeconds.toFixed(2)} s; ${row.view.frames} frames, ${row.view.bytes} bytes; load ${loadavg()[0].toFixed(1)}`,
  );
}

console.log(
  `\n${scenario} ${options.join(' ')}, ${rows.length} pairs, Linux ${release()}, ${cpus().length} CPUs, Node ${process.version}\n`,
);
console.log(
  `${'median of'.padEnd(30)}${['without', 'with', 'ratio in pairs'].map((head) => head.padStart(16)).join('')}`,
);
for (const [name, of] of Object.entries(METRICS)) {
  const [plain, view] = ['plain', 'view'].map((kind) => median(rows.map((row) => of(row[kind]))));
  const ratio = median(rows.map((row) => of(row.view) / of(row.plain)));
  console.log(
    name.padEnd(30) + [plain.toFixed(3), view.toFixed(3), ratio.toFixed(2)].map((text) => text.padStart(16)).join(''),
  );
}
