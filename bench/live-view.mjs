/**
 * What the live view of a run costs the measurement: the same scenario on a terminal of its own, without the view, with it, and without it
 * once more, in turn. All are started by script(1); only where stderr goes is different. What two runs without the view differ by is
 * chance, and what the view costs is to be held against that. Lateness is the generator's own account, CPU that of its whole process
 * while traffic ran, view included (`generator` in series.ndjson).
 *
 *     npm run build && node bench/live-view.mjs [rounds] [scenario file] [option of run ...]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { signFlipTest } from '../dist/analysis/permutation.js';
import { median } from './lib/numbers.mjs';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const [rounds = '12', scenario = 'scenarios/ticket-sale.yaml', ...given] = process.argv.slice(2);
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

const KINDS = ['plain', 'view', 'again'];
const rows = [];
for (let round = 0; round < Number(rounds); round++) {
  // Each round begins with another of them: what drifts meets all alike.
  const row = {};
  for (let turn = 0; turn < KINDS.length; turn++) {
    const kind = KINDS[(round + turn) % KINDS.length];
    row[kind] = measure(kind === 'view');
  }
  rows.push(row);
  const each = (of) => KINDS.map((kind) => of(row[kind]).toFixed(2)).join(', ');
  console.log(
    `round ${round + 1}: without, with, without: late p99 ${each(METRICS['late p99, ms'])} ms; ` +
      `CPU ${each(METRICS['CPU of the process, s'])} s; ${row.view.frames} frames, ${row.view.bytes} bytes; load ${loadavg()[0].toFixed(1)}`,
  );
}

/** Of pairs within a round: the median ratio, and how likely one as far from 1 is where nothing is different (sign-flip permutation). */
function ratioText(of, kind) {
  const ratios = rows.map((row) => of(row[kind]) / of(row.plain));
  const { p } = signFlipTest(ratios.map(Math.log));
  return `${median(ratios).toFixed(2)} (p ${p.toFixed(2)})`;
}

console.log(
  `\n${scenario} ${options.join(' ')}, ${rows.length} rounds, Linux ${release()}, ${cpus().length} CPUs, Node ${process.version}\n`,
);
const line = (name, cells) => console.log(name.padEnd(30) + cells.map((cell) => cell.padStart(18)).join(''));
line('median of', ['without', 'with', 'ratio in rounds', 'without twice']);
for (const [name, of] of Object.entries(METRICS)) {
  const medians = ['plain', 'view'].map((kind) => median(rows.map((row) => of(row[kind]))).toFixed(3));
  line(name, [...medians, ratioText(of, 'view'), ratioText(of, 'again')]);
}
