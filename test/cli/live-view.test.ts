/** A run on a terminal, made by script(1), and without one: what is painted while it is under way, and what is left of it at the end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { MAIN, portparty, scenarioFile, scratch } from '../helpers/portparty.js';
import { type FakeTerminal, fakeTerminal } from '../helpers/terminal.js';

const SHORT = `
name: office
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 20000-20009, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 1s
  arrivals: [{ for: 500ms, rate: 40/s }]
  process: uniform
  timeout: { connect: 500ms }
  maxLateness: 10s
variants:
  tight: {}
  wide: { topology: { edge: { ports: 20000-29999 } } }
`;
const LONG = SHORT.replace('for: 500ms', 'for: 60s');

interface OnTerminal {
  child: ChildProcess;
  terminal: FakeTerminal;
  /** All that was written so far. */
  text(): string;
  /** Resolves when that contains `words`; rejects when it has ended without. */
  until(words: string): Promise<void>;
  ended: Promise<void>;
}

/** Runs a scenario on a terminal of 100 columns and 30 rows. */
function onTerminal(scenario: string, args = '', environment: Record<string, string> = {}): OnTerminal {
  const folder = scratch();
  const file = scenarioFile(folder, scenario);
  const run = `stty cols 100 rows 30; exec '${process.execPath}' '${MAIN}' run '${file}' --out '${join(folder, 'results')}' ${args}`;
  const child = spawn('script', ['-qec', run, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm', NO_COLOR: '1', ...environment },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  // A key that is pressed when it has just ended is no error.
  child.stdin!.on('error', () => {});
  const terminal = fakeTerminal();
  let text = '';
  let told = () => {};
  child.stdout!.setEncoding('utf8').on('data', (data: string) => {
    text += data;
    terminal.write(data);
    told();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    ...{ child, terminal, ended, text: () => text },
    until: (words) =>
      new Promise((resolve, reject) => {
        told = () => text.includes(words) && resolve();
        told();
        void ended.then(() => reject(new Error(`ended before it said "${words}": ${text}`)));
      }),
  };
}

const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';

it('goes through the phases on a terminal, and leaves nothing but the result', async () => {
  const { terminal, text, ended } = onTerminal(SHORT);
  await ended;
  for (const phase of ['building', 'starting', 'sending', 'settling']) expect(text()).toContain(phase);
  // What the client saw, while it ran; the ledger's word, once the trial was over.
  expect(text()).toContain('connect timed out');
  expect(text()).toMatch(/tight +10 dropped {2}of 20 {2}10 ports-exhausted@edge/);
  expect(text()).toContain('without a free port at times: edge');
  const lines = terminal.lines();
  expect(lines[0]).toMatch(/^driver netns/);
  expect(lines[1]).toBe('office');
  expect(lines.at(-2)).toMatch(/^record: /);
  expect(lines.at(-1)).toMatch(/^report: /);
  expect(lines.join('\n')).not.toMatch(/settling|under way|[░▒━]/);
  expect([terminal.cursorVisible(), terminal.settled()]).toEqual([true, true]);
});

it('shows the cursor again after Ctrl-C, and after a second one', async () => {
  for (const presses of [1, 2]) {
    const run = onTerminal(LONG);
    await run.until('sending');
    expect(run.text().lastIndexOf(HIDE)).toBeGreaterThan(run.text().lastIndexOf(SHOW));
    run.child.stdin!.write('\x03');
    if (presses > 1) {
      await run.until('settling');
      run.child.stdin!.write('\x03');
    }
    await run.ended;
    expect(run.text().lastIndexOf(SHOW)).toBeGreaterThan(run.text().lastIndexOf(HIDE));
    expect([run.terminal.cursorVisible(), run.terminal.settled()]).toEqual([true, true]);
  }
});

it('paints nothing with --quiet, and on a dumb terminal', async () => {
  const quiet = onTerminal(SHORT, '--quiet --variant tight');
  await quiet.ended;
  for (const painted of ['\x1b[?', 'sending']) expect(quiet.text()).not.toContain(painted);
  expect(quiet.terminal.lines()[0]).toBe('office');
  const dumb = onTerminal(SHORT, '--variant tight', { TERM: 'dumb' });
  await dumb.ended;
  expect(dumb.text()).not.toContain('\x1b');
  expect(dumb.text()).toContain('tight: 20 visitors over');
});

it('writes plain lines where stderr is no terminal', async () => {
  const folder = scratch();
  const args = ['run', scenarioFile(folder, SHORT), '--out', join(folder, 'results'), '--variant', 'tight'];
  const { stderr } = await portparty(args, { cwd: folder, env: { NO_COLOR: '', FORCE_COLOR: '1' } });
  expect(stderr).toMatch(/^tight: 20 visitors over 0\.\d s$/m);
  expect(stderr).not.toContain('\x1b');
});
