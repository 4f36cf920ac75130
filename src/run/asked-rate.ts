/** Whether a run asks for more than this machine was measured to send. */
import { asksForMore } from '../report/calibration-text.js';
import type { Driver } from '../testbed/driver.js';
import type { Engine, TrafficPlan } from '../traffic/engine.js';
import { peakConnectionRate } from '../traffic/peak-rate.js';
import { type Calibration, differencesSince, machineFacts, readCalibration } from './calibration.js';

/** Traffic that asks for more than was measured. */
export interface AskedRate {
  /** Its highest planned rate, new connections. */
  perSecond: number;
  /** What is to be told of it. */
  says: string;
}

/** Whether traffic asks for more; undefined where it does not, or nothing is known. */
export type RateCheck = (traffic: TrafficPlan, engine: Engine['name']) => AskedRate | undefined;

/** With the calibration that is kept, where it holds for the machine that the driver's hosts are on. */
export function rateCheck({ machine }: Driver, pinned: boolean): RateCheck {
  const calibration = readCalibration();
  if (calibration === undefined) return () => undefined;
  const now = { ...machineFacts(), kernel: machine.kernel, cpus: machine.cpus };
  return differencesSince(calibration, now).length > 0 ? () => undefined : checkAgainst(calibration, pinned);
}

/** With this calibration. Another engine than the one that was measured is not judged. */
export function checkAgainst(calibration: Calibration, pinned: boolean): RateCheck {
  const { steadyPerSecond: limit } = calibration;
  return (traffic, engine) => {
    if (engine !== calibration.engine || limit === null || calibration.isAtLeast) return undefined;
    const perSecond = peakConnectionRate(traffic);
    return perSecond > limit ? { perSecond, says: asksForMore(perSecond, calibration, pinned) } : undefined;
  };
}
