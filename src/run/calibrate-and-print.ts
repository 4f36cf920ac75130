/** `portparty doctor --bench` from the ready driver on: measures, prints, keeps the result. */
import { ExitCode } from '../errors.js';
import { renderCalibration, stepText } from '../report/calibration-text.js';
import { calibrate } from './calibrate.js';
import { calibrationFile, keepCalibration } from './calibration.js';
import type { WithDriver } from './run-with-driver.js';

/** Load per core above which somebody else has the machine. */
const QUIET_LOAD = 0.5;

/** Prints the result on stdout, progress on stderr. Throws a PortPartyError (exit 3) where the measurement cannot be made. */
export async function calibrateAndPrint(ready: WithDriver, json: boolean): Promise<ExitCode> {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say('measuring what this machine can send, for some 15 s; it should have nothing else to do meanwhile');
  const calibration = await calibrate({
    driver: ready.driver(say),
    interrupt: ready.interrupt,
    onStep: (step) => say(stepText(step)),
  });
  if (calibration === undefined) return ExitCode.interrupted;
  process.stdout.write(json ? `${JSON.stringify(calibration, null, 2)}\n` : renderCalibration(calibration));
  if (calibration.loadBefore > calibration.machine.cpus * QUIET_LOAD)
    say(
      `note: the machine was busy with something else (load ${calibration.loadBefore}): it can send more when it is not`,
    );
  if (calibration.steadyPerSecond === null) {
    say(
      'not kept: no rate was sent on time, so this says more about what else the machine does; measure again when it is quiet',
    );
    return ExitCode.invalid;
  }
  const file = calibrationFile();
  try {
    keepCalibration(calibration, file);
    say(`kept in ${file}: runs that ask for more are told so before they start`);
  } catch (error) {
    say(`note: it could not be kept: ${(error as Error).message}; set XDG_STATE_HOME to a folder that can be written`);
  }
  return ExitCode.ok;
}
