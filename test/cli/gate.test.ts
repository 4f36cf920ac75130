/** `portparty gate` on records made by hand: what it decides, how it exits, what it writes for CI systems, and what it refuses by name. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GateResult, Measured, RunRecord, VariantRecord } from '../../src/record/run-record.js';
import { portparty, scratch } from '../helpers/portparty.js';
import { losingVariant, measuredNumbers, runRecord, variantRecord } from '../helpers/trials.js';

const gate = (text: string, observed: number, pass: boolean): GateResult => ({ gate: text, observed, pass });

/** Writes a record, as `run` does, and returns its folder. */
function recorded(variants: VariantRecord[], changes: Partial<RunRecord> = {}, folder = scratch()): string {
  const id = changes.id ?? '20261124T192318Z-ticket-sale-ab12';
  const dir = join(folder, 'results', id);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'run.json'), JSON.stringify(runRecord(variants, { ...changes, id })));
  return dir;
}

/** A variant of several trials that differ in the p99 of their responses, ms. */
function variantOf(name: string, p99s: number[], gates: GateResult[] = []): VariantRecord {
  const trial = (p99: number): Measured => {
    const whole = measuredNumbers();
    return { ...whole, latency: { ...whole.latency, response: { ...whole.latency.response, p99 } } };
  };
  const perTrial = p99s.map((p99, index) => ({ trial: index + 1, ...trial(p99) }));
  return { name, trials: p99s.length, nodes: ['buyers', 'edge', 'shop'], ...trial(p99s[0]), gates, perTrial };
}

const holding = () => recorded([variantRecord('wider-pool', {}, [gate('dropped == 0', 0, true)])]);
const losing = () => recorded([losingVariant([gate('dropped == 0', 300, false)])]);
const P99 = 'latency.response.p99 <= baseline + 10%';
/** Outside of a CI system, whatever the tests run in. */
const NOWHERE = { GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '', GITHUB_WORKSPACE: '', CI_PROJECT_DIR: '' };
const gated = (args: string[], env: Record<string, string> = {}, cwd = scratch()) =>
  portparty(['gate', ...args], { env: { ...NOWHERE, ...env }, cwd });

describe('the exit code', () => {
  it.each([
    ['0 where the gates of the record hold', holding, [], 0],
    ['1 where one fails', losing, [], 1],
    ['0 where the given gates hold instead', losing, ['--gate', 'dropped == 300', '--gate', 'dropped@edge > 0'], 0],
    ['1 where one of the given ones fails', holding, ['--gate', 'dropped == 0', '--gate', 'due > 5000'], 1],
    [
      '4 where the measurement is invalid',
      () =>
        recorded([variantRecord('a', { validity: { valid: false, reasons: ['late'] } }, [gate('due > 0', 1, true)])]),
      [],
      4,
    ],
    [
      '4 where the run was interrupted and its gates hold so far',
      () => recorded([variantRecord('a', {}, [gate('dropped == 0', 0, true)])], { status: 'interrupted' }),
      [],
      4,
    ],
  ])('is %s', async (_, run, args, code) => {
    expect(await gated([run(), ...args])).toMatchObject({ code });
  });
});

describe('what it prints', () => {
  it('is the gates with what they saw, and why requests were lost', async () => {
    const { stdout } = await gated([losing()]);
    expect(stdout).toContain('✗ as-shipped  dropped == 0  300');
    expect(stdout.replace(/\s+/g, ' ')).toContain('were lost because edge ran out of ports');
    expect(stdout).toContain('FAIL  1 of 1 gate does not hold');
  });

  it('is one JSON value with --json', async () => {
    const { stdout, code } = await gated([losing(), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      run: '20261124T192318Z-ticket-sale-ab12',
      verdict: 'fail',
      variants: [{ name: 'as-shipped', gates: [{ gate: 'dropped == 0', observed: 300, pass: false }] }],
    });
  });

  it('leaves the record as it is', async () => {
    const dir = holding();
    const before = readFileSync(join(dir, 'run.json'), 'utf8');
    await gated([dir, '--gate', 'due > 5000']);
    expect(readFileSync(join(dir, 'run.json'), 'utf8')).toBe(before);
  });
});

describe('--variant and --gates', () => {
  const two = () => recorded([losingVariant([gate('dropped == 0', 300, false)]), variantRecord('wider-pool')]);

  it('only the chosen variants decide', async () => {
    const run = two();
    expect(await gated([run, '--gate', 'dropped == 0', '--variant', 'wider-pool'])).toMatchObject({ code: 0 });
    expect(await gated([run, '--gate', 'dropped == 0'])).toMatchObject({ code: 1 });
  });

  it('a file may be a list of gates, or a scenario', async () => {
    const folder = scratch();
    const list = join(folder, 'list.yaml');
    writeFileSync(list, '- dropped < 400\n- { gate: dropped == 0, variants: [wider-pool] }\n');
    const scenario = join(folder, 'scenario.yaml');
    writeFileSync(scenario, 'name: a\ngates:\n  - { gate: dropped == 0, variants: [wider-pool] }\n');
    expect(await gated([two(), '--gates', list])).toMatchObject({ code: 0 });
    expect(await gated([two(), '--gates', scenario])).toMatchObject({ code: 0 });
  });

  it('gates of a scenario for variants that were not run are left out, and said', async () => {
    const scenario = join(scratch(), 'scenario.yaml');
    const gates =
      'gates:\n  - { gate: due > 5000, variants: [slow] }\n  - { gate: dropped == 0, variants: [slow, wider-pool] }\n';
    writeFileSync(scenario, `name: a\nvariants: { slow: {}, wider-pool: {} }\n${gates}`);
    const { code, stderr } = await gated([two(), '--gates', scenario]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'note: 1 gate is left out: the run has not the variants slow\n',
    });
  });
});

describe('a baseline', () => {
  it('is made from a run, and that run holds against it', async () => {
    const run = recorded([variantOf('a', [100, 101, 99])]);
    const file = join(scratch(), 'baselines', 'ticket-sale.json');
    const saved = await gated([run, '--save-baseline', file]);
    expect(saved).toMatchObject({ code: 0, stderr: `note: baseline: ${file}\n` });
    const gates = ['--gate', P99, '--gate', 'throughput >= baseline', '--gate', 'ports.edge.peak == baseline'];
    expect(await gated([run, '--baseline', file, ...gates])).toMatchObject({ code: 0 });
    expect(await gated([run, '--baseline', run, ...gates])).toMatchObject({ code: 0 });
  });

  it('is a small file, the same whenever it is written, with one line per trial', async () => {
    const run = recorded([variantOf('a', [100, 101, 99])]);
    const files = ['one.json', 'two.json'].map((name) => join(scratch(), name));
    for (const file of files) await gated([run, '--save-baseline', file]);
    const [one, two] = files.map((file) => readFileSync(file, 'utf8'));
    expect(one).toBe(two);
    expect(JSON.parse(one)).toMatchObject({
      schema: 'portparty/baseline@1',
      driver: 'netns',
      scenario: { name: 'ticket-sale' },
    });
    expect(one.split('\n').filter((line) => line.includes('"p99":101'))).toHaveLength(1);
    expect(one.length).toBeLessThan(4000);
  });

  it('fails a gate that the trials show to be broken, and passes one where they do not', async () => {
    const baseline = recorded([variantOf('a', [100, 101, 99])]);
    const worse = await gated([recorded([variantOf('a', [130, 131, 129])]), '--baseline', baseline, '--gate', P99]);
    expect(worse.code).toBe(1);
    expect(worse.stdout.replace(/\s+/g, ' ')).toContain(
      '130 ms baseline 100 ms, bound 110 ms; 3 against 3 trials, permutation test, p = 0.05',
    );
    const noisy = await gated([recorded([variantOf('a', [100, 150, 101])]), '--baseline', baseline, '--gate', P99]);
    expect(noisy.code).toBe(0);
    expect(noisy.stdout.replace(/\s+/g, ' ')).toContain('do not show that it is more than chance');
  });

  it('with one trial says that it compared plainly', async () => {
    const baseline = recorded([variantOf('a', [100])]);
    const { code, stdout } = await gated([recorded([variantOf('a', [111])]), '--baseline', baseline, '--gate', P99]);
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, ' ')).toContain('one trial each, too few for a test: plainly compared');
  });

  it('of gates that the run skipped for want of one decides them now', async () => {
    const skipped = { ...variantOf('a', [150]), skippedGates: [P99] };
    const baseline = recorded([variantOf('a', [100])]);
    expect(await gated([recorded([skipped]), '--baseline', baseline])).toMatchObject({ code: 1 });
    const first = await gated([recorded([skipped]), '--save-baseline', join(scratch(), 'b.json')]);
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('skipped: it compares with a baseline');
    expect(first.stdout).toContain('no gates; 1 gate skipped for want of a baseline');
  });

  it('that was measured elsewhere is marked by the name of each difference', async () => {
    const environment = { kernel: '6.1.0', node: 'v20', cpus: 8, versions: { nginx: '1.26.0' } };
    const scenario = { name: 'ticket-sale', file: 'x.yaml', sha256: 'ff', seed: 2 };
    const visitors = { arrived: 100, served: 100, soldOut: 0, turnedAway: 0 };
    const other = variantRecord('a', { visitors });
    const baseline = recorded([other], { environment, scenario });
    const { code, stdout } = await gated([
      recorded([variantRecord('a')]),
      '--baseline',
      baseline,
      '--gate',
      'dropped <= baseline',
    ]);
    expect(code).toBe(0);
    for (const words of [
      '! the text of the scenario file is not the same',
      '! seed: 2 in the baseline, 1 now',
      '! kernel: 6.1.0 in the baseline, 6.18.0 now',
      '! CPUs: 8 in the baseline, 2 now',
      '! nginx: 1.26.0 in the baseline, 1.22.1 now',
      '! a had 100 visitors per trial in the baseline, 1000 now',
    ])
      expect(stdout).toContain(words);
  });

  it('is not made from a measurement that proves nothing', async () => {
    const file = join(scratch(), 'b.json');
    const invalid = recorded([variantRecord('a', { validity: { valid: false, reasons: ['late'] } })]);
    const { code, stderr } = await gated([invalid, '--save-baseline', file]);
    expect(code).toBe(4);
    expect(stderr).toContain('no baseline is written');
    expect(() => readFileSync(file)).toThrow();
  });
});

describe('what is refused with exit code 2, by name', () => {
  const run = () => recorded([variantOf('a', [100])]);
  const written = (name: string, text: string) => {
    const file = join(scratch(), name);
    writeFileSync(file, text);
    return file;
  };
  const cut = () => {
    const dir = run();
    writeFileSync(join(dir, 'run.json'), readFileSync(join(dir, 'run.json'), 'utf8').slice(0, 200));
    return dir;
  };
  const dropped = ['--gate', 'dropped <= baseline'];

  it.each([
    ['a run that is not there', () => ['nowhere'], /there is no run "nowhere"/],
    ['a record that was cut off', () => [cut()], /run\.json: the record is damaged: it is no JSON/],
    ['no gates at all', () => [run()], /there are no gates to hold.*\n.*--gate/],
    [
      'a gate that cannot be read',
      () => [run(), '--gate', 'drops == 0'],
      /gate "drops == 0": no metric "drops" \(column 1\)\n.*did you mean dropped/,
    ],
    [
      'a node that is not there',
      () => [run(), '--gate', 'dropped@egde == 0'],
      /there is no node egde in variant a\n.*did you mean edge\?/,
    ],
    [
      'a variant that is not there',
      () => [run(), '--gate', 'due > 0', '--variant', 'wider'],
      /no variant "wider"\n.*it has a/,
    ],
    [
      'a relative gate without a baseline',
      () => [run(), ...dropped],
      /dropped <= baseline: the gate compares with a baseline.*\n.*--baseline/,
    ],
    ['a file of gates that is not there', () => [run(), '--gates', 'none.yaml'], /none\.yaml: there is no such file/],
    [
      'a gate of a file, with its place',
      () => [run(), '--gates', written('g.yaml', '- due > 0\n- dropped = 0\n')],
      /g\.yaml:2:11: no comparison "="\n.*write ==/,
    ],
    [
      'a file without gates',
      () => [run(), '--gates', written('g.yaml', 'name: a\n')],
      /g\.yaml:1:1: the file holds no gates/,
    ],
    ['a baseline run that is not there', () => [run(), '--baseline', 'a-run', ...dropped], /there is no run "a-run"/],
    [
      'a baseline that is not there',
      () => [run(), '--baseline', 'b.json', ...dropped],
      /b\.json: there is no such baseline.*\n.*--save-baseline/,
    ],
    [
      'a baseline that was cut off',
      () => [run(), '--baseline', written('b.json', '{"schema"'), ...dropped],
      /b\.json: the baseline is damaged: it is no JSON/,
    ],
    [
      'a file that is no baseline',
      () => [run(), '--baseline', written('b.json', '{}'), ...dropped],
      /b\.json: this is no baseline/,
    ],
    [
      'a baseline that lacks a field',
      () => [run(), '--baseline', written('b.json', '{"schema":"portparty/baseline@1"}'), ...dropped],
      /b\.json: the baseline is damaged: run/,
    ],
    [
      'a baseline of another scenario',
      () => [
        run(),
        '--baseline',
        recorded([variantOf('a', [1])], { scenario: { name: 'other', file: '', sha256: '00', seed: 1 } }),
        ...dropped,
      ],
      /it is of another scenario: other, and this run is of ticket-sale/,
    ],
    [
      'a baseline of another driver',
      () => [run(), '--baseline', recorded([variantOf('a', [1])], { driver: 'docker' }), ...dropped],
      /measured with the driver docker, and this run with netns/,
    ],
    [
      'a baseline without the variant',
      () => [run(), '--baseline', recorded([variantOf('b', [1])]), ...dropped],
      /it has no variant a.*\n.*it has b/,
    ],
    [
      'a baseline from an invalid run',
      () => [
        run(),
        '--baseline',
        recorded([variantRecord('a', { validity: { valid: false, reasons: ['it was late'] } })]),
        ...dropped,
      ],
      /cannot be a baseline: the measurement of a is invalid: it was late/,
    ],
    [
      'a baseline from an interrupted run',
      () => [run(), '--baseline', recorded([variantOf('a', [1])], { status: 'interrupted' }), ...dropped],
      /cannot be a baseline: the run was interrupted/,
    ],
    [
      'a file that cannot be written',
      () => [run(), '--gate', 'due > 0', '--junit', '/proc/nowhere/junit.xml'],
      /junit\.xml: it cannot be written/,
    ],
  ])('%s', async (_, args, words) => {
    const { code, stdout, stderr } = await gated(args());
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(words) });
  });
});

describe('for CI systems', () => {
  /** A repository with a scenario, and a run of it that fails. */
  function repository(): { folder: string; run: string } {
    const folder = scratch();
    mkdirSync(join(folder, 'scenarios'));
    const file = join(folder, 'scenarios', 'sale.yaml');
    writeFileSync(
      file,
      'name: ticket-sale\ngates:\n  - { gate: dropped == 0, variants: [wider-pool] }\n  - due > 0\n  - { gate: dropped == 0, variants: [as-shipped] }\n',
    );
    const scenario = { name: 'ticket-sale', file: 'scenarios/sale.yaml', sha256: '00', seed: 1 };
    const variant = losingVariant([gate('due > 0', 3000, true), gate('dropped == 0', 300, false)]);
    return { folder, run: recorded([variant], { scenario }, folder) };
  }

  it('JUnit and Markdown are files', async () => {
    const { folder, run } = repository();
    await gated([run, '--junit', 'out/junit.xml', '--markdown', 'out/summary.md'], {}, folder);
    expect(readFileSync(join(folder, 'out/junit.xml'), 'utf8')).toContain('failures="1"');
    expect(readFileSync(join(folder, 'out/summary.md'), 'utf8')).toMatch(/^# ticket-sale: ✗ gates fail\n/);
  });

  it("the summary is added to GitHub's where there is one", async () => {
    const { folder, run } = repository();
    const summary = join(folder, 'step.md');
    writeFileSync(summary, 'of an earlier step\n');
    await gated([run], { GITHUB_STEP_SUMMARY: summary }, folder);
    expect(readFileSync(summary, 'utf8')).toMatch(/^of an earlier step\n# ticket-sale: ✗ gates fail\n/);
  });

  it('a gate that fails is an annotation of its line, on GitHub without being asked', async () => {
    const { folder, run } = repository();
    const { stderr, stdout } = await gated(
      [run, '--json'],
      { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder },
      folder,
    );
    expect(stderr).toMatch(
      /^::error file=scenarios\/sale\.yaml,line=5,title=as-shipped%3A dropped == 0 does not hold::observed: 300%0A.*because edge ran out of ports.*\n$/,
    );
    expect(() => JSON.parse(stdout)).not.toThrow();
    expect((await gated([run, '--no-annotations'], { GITHUB_ACTIONS: 'true' }, folder)).stderr).toBe('');
    expect((await gated([run], {}, folder)).stderr).toBe('');
    expect((await gated([run, '--annotations'], {}, folder)).stderr).toMatch(
      /^::error file=scenarios\/sale\.yaml,line=5,/,
    );
  });

  it("GitLab's code quality report names the line as well", async () => {
    const { folder, run } = repository();
    await gated([run, '--code-quality', 'cq.json'], {}, folder);
    expect(JSON.parse(readFileSync(join(folder, 'cq.json'), 'utf8'))).toEqual([
      {
        description: expect.stringContaining('as-shipped: dropped == 0 does not hold (observed: 300; '),
        check_name: 'portparty',
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
        severity: 'major',
        location: { path: 'scenarios/sale.yaml', lines: { begin: 5 } },
      },
    ]);
  });
});
