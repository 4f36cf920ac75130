/**
 * What the HTML report of a large run costs: makes a record of so many requests with the program's own writer (two variants, one of which
 * loses every twentieth), writes its page, and opens that in Chromium, several times, cold each time.
 *
 *     npm run build && node bench/report.mjs [requests] [--json] [--no-open]
 *
 * Chromium is taken from PORTPARTY_CHROMIUM, or from PATH; without one only the writing is measured.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRecord } from '../dist/record/write-record.js';
import { outcomes, RequestState } from '../dist/traffic/outcomes.js';
import { GENERATOR } from './lib/made-trial.mjs';

const OPENED = 5;
const VARIANTS = ['as-shipped', 'wider-pool'];
const PER_SECOND = 5000;
const STEPS = ['view-event', 'hold-seat', 'checkout', 'view-ticket'];
const MS = 1e6;
const [wanted = '1000000'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const visitors = Math.ceil(Number(wanted) / VARIANTS.length / STEPS.length);

/** Answers in 8 to 40 ms, a few of them much later; every twentieth visitor of a losing variant loses the first request. */
function madeOutcomes(losing) {
  const all = outcomes(visitors, STEPS.length);
  const lost = new Map();
  let seed = 1;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x80000000;
  };
  const verdict = {
    cause: 'ports-exhausted',
    at: 'edge',
    evidence: ['buyers: SYN sent', 'edge: it entered and never left'],
  };
  for (let row = 0; row < all.rows; row++) {
    const [visitor, step] = [Math.floor(row / STEPS.length), row % STEPS.length];
    const due = (visitor / (PER_SECOND / STEPS.length)) * 1000 * MS + step * 1000 * MS;
    const isLost = losing && step === STEPS.length - 1 && visitor % 5 === 0;
    const took = (8 + 32 * random() ** 3 + (random() < 0.01 ? 1000 * random() : 0)) * MS;
    for (const name of ['dueNs', 'sentNs', 'lastTryNs', 'connectNs']) all[name][row] = due;
    all.attempts[row] = 1;
    all.connection[row] = visitor;
    all.localPort[row] = 20_000 + (visitor % 500);
    all.client[row] = visitor % 4;
    if (isLost) {
      all.state[row] = RequestState.dropped;
      all.error[row] = 2;
      all.errno[row] = 110;
      all.doneNs[row] = due + 2000 * MS;
      lost.set(row, verdict);
      continue;
    }
    all.state[row] = RequestState.completed;
    all.status[row] = 200;
    all.connectedNs[row] = due + took / 10;
    all.firstByteNs[row] = due + took * 0.9;
    all.doneNs[row] = due + took;
  }
  return { all, lost };
}

function makeRecord(outDir) {
  const writer = createRecord({
    outDir,
    scenario: {
      name: 'bench-report',
      file: 'bench/report.mjs',
      sha256: '0'.repeat(64),
      seed: 1,
      trials: 1,
      variants: [],
    },
    driver: 'netns',
    driverReason: '',
    environment: { kernel: '6.18', node: process.versions.node, cpus: 2, versions: { nginx: '1.22.1' } },
  });
  VARIANTS.forEach((variant, index) => {
    const { all, lost } = madeOutcomes(index === 0);
    const nodes = ['buyers', 'edge', 'shop'];
    const clients = ['buyers[0]', 'buyers[1]', 'buyers[2]', 'buyers[3]'];
    const idPrefix = `${index}.1`;
    const trial = writer.beginTrial({
      variant,
      trial: 1,
      idPrefix,
      steps: STEPS,
      clients,
      nodes,
      startedAtMs: Date.now(),
      outcomes: all,
    });
    const seconds = all.dueNs[all.rows - 1] / 1e9;
    for (let tenth = 0; tenth < seconds * 10; tenth++)
      trial.sample({
        timeNs: tenth * 100 * MS,
        inUse: { edge: 300 + (tenth % 200), buyers: 900 },
        timeWait: { edge: 0, buyers: 400 },
        states: Object.fromEntries(
          nodes.map((node) => [node, { ESTABLISHED: 400 + (tenth % 100), TIME_WAIT: tenth % 700, FIN_WAIT1: 3 }]),
        ),
        due: tenth * 500,
        completed: tenth * 490,
        dropped: tenth,
        cpu: { edge: tenth / 100 },
      });
    trial.finish({
      dropped: lost,
      delayed: new Map(),
      pools: {
        edge: { capacity: 500, peak: 499, peakShare: 0.998 },
        buyers: { capacity: 28_232, peak: 900, peakShare: 0.032 },
      },
      counters: { edge: { 'conntrack.insert_failed': lost.size } },
      generator: GENERATOR,
      plannedVisitors: visitors,
      maxLatenessMs: 10,
      problems: [],
      ways: { kept: { lostEvery: 1, visitorsEvery: 100 }, all: waysOf(lost, idPrefix) },
    });
  });
  writer.finish('complete');
  return writer.dir;
}

function* waysOf(lost, idPrefix) {
  for (const row of lost.keys()) {
    const id = `${idPrefix}.${Math.floor(row / STEPS.length)}.${row % STEPS.length}`;
    const leg = {
      isn: row,
      from: 'buyers[0]',
      to: 'edge',
      hops: [{ host: 'buyers[0]', out: ['198.18.0.2:20000', '198.18.0.9:80'], synOut: [1, 2] }],
    };
    yield { id, tries: [{ number: 1, leg }] };
  }
}

/** Seconds, seconds of CPU, and most memory in MB, of writing a page in a process of its own. */
function measured(dir) {
  const script = `
    const from = performance.now();
    const { writeReport } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)});
    writeReport(${JSON.stringify(dir)});
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ seconds: (performance.now() - from) / 1000, cpu: (user + system) / 1e6, mostMb: process.resourceUsage().maxRSS / 1024 }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

function findChromium() {
  const { PORTPARTY_CHROMIUM, PATH = '' } = process.env;
  const found = ['chromium', 'google-chrome', 'chromium-browser'].flatMap((name) =>
    PATH.split(delimiter).map((folder) => join(folder, name)),
  );
  return [PORTPARTY_CHROMIUM, ...found].find((path) => path !== undefined && existsSync(path));
}

async function opened(file) {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  const { chromium } = await import('playwright-core');
  const rounds = [];
  for (let round = 0; round < OPENED; round++) {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
      rounds.push(
        await page.evaluate(() => {
          const [{ domInteractive, loadEventEnd }] = performance.getEntriesByType('navigation');
          const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
          return { firstPaintMs: paint, interactiveMs: domInteractive, loadedMs: loadEventEnd };
        }),
      );
    } finally {
      await browser.close();
    }
  }
  const middle = (name) => rounds.map((round) => round[name]).sort((a, b) => a - b)[OPENED >> 1];
  return Object.fromEntries(Object.keys(rounds[0]).map((name) => [name, Math.round(middle(name))]));
}

const folder = mkdtempSync(join(tmpdir(), 'portparty-bench-report-'));
try {
  const dir = makeRecord(folder);
  const { seconds, cpu, mostMb } = measured(dir);
  const file = join(dir, 'report.html');
  const result = {
    requests: visitors * STEPS.length * VARIANTS.length,
    recordBytes: statSync(join(dir, 'requests.bin')).size,
    writingSeconds: Number(seconds.toFixed(2)),
    writingCpuSeconds: Number(cpu.toFixed(2)),
    writingMostMb: Math.round(mostMb),
    pageBytes: statSync(file).size,
    ...(process.argv.includes('--no-open') ? {} : { opening: await opened(file) }),
  };
  console.log(JSON.stringify(result, null, process.argv.includes('--json') ? 0 : 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
