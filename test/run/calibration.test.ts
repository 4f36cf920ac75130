import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkAgainst } from '../../src/run/asked-rate.js';
import {
  type Calibration,
  type CalibrationStep,
  calibrationFile,
  differencesSince,
  keepCalibration,
  machineFacts,
  newCalibration,
  readCalibration,
} from '../../src/run/calibration.js';
import { nextRate, resultOf } from '../../src/run/calibration-steps.js';
import type { TrafficPlan } from '../../src/traffic/engine.js';
import { arrivalTimes } from '../../src/traffic/schedule.js';

const measured = (changes: Partial<Calibration> = {}): Calibration => ({
  ...newCalibration({
    loadBefore: 0,
    maxLatenessMs: 10,
    steadyPerSecond: 9100,
    isAtLeast: false,
    connectionsPerSecond: 11_000,
    steps: [],
  }),
  ...changes,
});

/** The steps that a machine makes of it which sends so much on time; `hiccups` are steps, by their number, that fail for another reason. */
function stepsOf(capacity: number, hiccups: number[] = []): CalibrationStep[] {
  const steps: CalibrationStep[] = [];
  for (let rate = nextRate(steps); rate !== undefined; rate = nextRate(steps)) {
    if (steps.length > 40) throw new Error('the search does not end');
    const passed = rate <= capacity && !hiccups.includes(steps.length);
    const speed = { connectionsPerSecond: Math.min(rate, capacity + 1000), dropped: 0, cpuSecondsPer1000: 0.1 };
    steps.push({ rate, lateP50Ms: 0.1, lateP99Ms: passed ? 1 : 90, ...speed, passed });
  }
  return steps;
}

describe('the search for the rate that is sent on time', () => {
  it.each([300, 1700, 4000, 9500, 13_000, 47_000])(
    'finds %i/s to an eighth, in steps of some ten seconds',
    (capacity) => {
      const steps = stepsOf(capacity);
      const { steadyPerSecond, isAtLeast, connectionsPerSecond } = resultOf(steps);
      expect(steadyPerSecond).toBeLessThanOrEqual(capacity);
      expect(steadyPerSecond).toBeGreaterThan(capacity / 1.2);
      expect(isAtLeast).toBe(false);
      expect(connectionsPerSecond).toBeGreaterThanOrEqual(steadyPerSecond!);
      expect(steps.length).toBeLessThanOrEqual(16);
    },
  );

  it('is not misled by one hiccup', () => {
    expect(resultOf(stepsOf(9500, [0]))).toEqual(resultOf(stepsOf(9500)));
  });

  it('says where the machine can do more than a step can ask for, or nothing', () => {
    expect(resultOf(stepsOf(1e6))).toMatchObject({ steadyPerSecond: 64_000, isAtLeast: true });
    expect(resultOf(stepsOf(10))).toMatchObject({ steadyPerSecond: null, isAtLeast: false });
  });
});

describe('a calibration that is kept', () => {
  it('lies in the folder for state, and a relative one does not count', () => {
    expect(calibrationFile({ XDG_STATE_HOME: '/state' })).toBe('/state/portparty/calibration.json');
    expect(calibrationFile({ XDG_STATE_HOME: 'state' })).toMatch(/\/\.local\/state\/portparty\/calibration\.json$/);
  });

  it('is read again as it was, and a damaged one or one of another version is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portparty-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'new', 'calibration.json');
    expect(readCalibration(file)).toBeUndefined();
    keepCalibration(measured(), file);
    expect(readCalibration(file)).toMatchObject({ steadyPerSecond: 9100, machine: machineFacts() });
    writeFileSync(file, readFileSync(file, 'utf8').replace('calibration@1', 'calibration@9'));
    expect(readCalibration(file)).toBeUndefined();
    writeFileSync(file, '{');
    expect(readCalibration(file)).toBeUndefined();
  });

  it('holds as long as the machine is the same', () => {
    const now = machineFacts();
    expect(differencesSince(measured(), now)).toEqual([]);
    expect(differencesSince(measured(), { ...now, kernel: '9.9', cpus: 96 })).toEqual([
      expect.stringMatching(/^CPUs \d+ then, 96 now$/),
      `kernel ${now.kernel} then, 9.9 now`,
    ]);
  });
});

describe('a run that asks for more', () => {
  const traffic = (rate: number) =>
    ({
      arrivalsNs: arrivalTimes([{ forMs: 1000, rate: { from: rate, to: rate } }], 'uniform', 1),
      connections: { mode: 'per-request' },
      steps: [{}],
      thinkTimeMs: 0,
    }) as unknown as TrafficPlan;

  it('is told so with the numbers and what to do; one that asks for no more is not', () => {
    const check = checkAgainst(measured(), false);
    expect(check(traffic(9100), 'socket')).toBeUndefined();
    const { perSecond, says } = check(traffic(20_000), 'socket')!;
    expect(perSecond).toBe(20_000);
    expect(says).toMatch(
      /^up to 20,000 new connections\/s are planned .* 9,100 new connections\/s on time, 11,000\/s at most/,
    );
    for (const way of ['--pin', 'more cores', 'lower the rate', 'doctor --bench']) expect(says).toContain(way);
    expect(checkAgainst(measured(), true)(traffic(20_000), 'socket')!.says).not.toContain('--pin');
  });

  it('is not judged by what another engine did, nor by a search that found no end', () => {
    expect(checkAgainst(measured(), false)(traffic(20_000), 'undici')).toBeUndefined();
    expect(checkAgainst(measured({ isAtLeast: true }), false)(traffic(20_000), 'socket')).toBeUndefined();
  });
});
