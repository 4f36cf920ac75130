import { describe, expect, it } from 'vitest';
import type { PortSample } from '../../src/observe/observations.js';
import { cpuUse, mergeCpuUse, sendingOf } from '../../src/record/cpu-use.js';
import { completedOutcomes } from '../helpers/trials.js';

/** A sample each half second from -0.5 s to 5 s; `used` gives the CPU seconds up to then. */
function samples(used: (seconds: number) => Record<string, number>): PortSample[] {
  return Array.from({ length: 12 }, (_, index) => {
    const seconds = index * 0.5 - 0.5;
    const counts = { inUse: {}, timeWait: {}, states: {}, due: 0, completed: 0, dropped: 0 };
    return { timeNs: seconds * 1e9, ...counts, cpu: used(seconds) };
  });
}

const daemons = [{ name: 'balancer', node: 'balancer' }];
/** Requests from 0 to 3.9 s. */
const sending = sendingOf(completedOutcomes(3900, 1));

describe('what each part took of the processors', () => {
  it('counts the time of the requests, and finds the busiest second in it', () => {
    // A quarter of a core all the time; the balancer a whole one from 2 to 3 s, and far more after the last request.
    const use = cpuUse(
      {
        daemons,
        busy: [],
        samples: samples((at) => ({
          generator: 7 + at / 4,
          balancer: Math.max(0, Math.min(1, at - 2)) + Math.max(0, at - 4) * 50,
        })),
      },
      sending,
    );
    expect(use).toEqual({
      overSeconds: 4,
      harness: { cpuSeconds: 1, cores: 0.25, peakCores: 0.25 },
      nodes: { balancer: { cpuSeconds: 1, cores: 0.25, peakCores: 1 } },
    });
  });

  it('keeps the busiest second of a thread within the time of the requests', () => {
    const common = { host: 'balancer', program: 'nginx', of: 'thread' as const };
    const busy = [
      { ...common, fromNs: 1e9, toNs: 2e9, ran: 0.4, waited: 0.1 },
      { ...common, fromNs: 2e9, toNs: 3e9, ran: 0.3, waited: 0.5 },
      { ...common, fromNs: 3.5e9, toNs: 4.5e9, ran: 1, waited: 0 },
    ];
    const use = cpuUse({ daemons, busy, samples: samples(() => ({})) }, sending);
    expect(use?.nodes.balancer.busiest).toEqual({ ...common, ran: 0.3, waited: 0.5, fromMs: 2000 });
  });

  it('is absent where nothing came due or nobody looked', () => {
    expect(cpuUse({ daemons, busy: [], samples: [] }, sending)).toBeUndefined();
    expect(cpuUse({ daemons, busy: [], samples: samples(() => ({})) }, undefined)).toBeUndefined();
    expect(mergeCpuUse([])).toBeUndefined();
  });

  it('says of one trial alone what the trial says, to the last digit', () => {
    const share = { cpuSeconds: 0.344, cores: 0.112, peakCores: 0.13 };
    const trial = { overSeconds: 3.06, harness: share, nodes: {} };
    expect(mergeCpuUse([trial])).toEqual(trial);
  });

  it('adds up trials: seconds are summed, shares are over all of the time, peaks are the highest', () => {
    const trial = (cpuSeconds: number, overSeconds: number, peakCores: number) => ({
      overSeconds,
      harness: { cpuSeconds, cores: cpuSeconds / overSeconds, peakCores },
      nodes: { shop: { cpuSeconds, cores: cpuSeconds / overSeconds, peakCores } },
    });
    const share = { cpuSeconds: 3, cores: 0.75, peakCores: 0.9 };
    expect(mergeCpuUse([trial(1, 1, 0.9), trial(2, 3, 0.8)])).toEqual({
      overSeconds: 4,
      harness: share,
      nodes: { shop: share },
    });
  });
});
