/** The exit code that a record stands for, the same for all verbs that measure. */
import { ExitCode } from '../errors.js';
import type { RunRecord } from '../record/run-record.js';

/** Where nothing was gated or needed (verdict `none`), 0 for whatever ran to its end. */
export function exitCodeOf({ status, verdict }: Pick<RunRecord, 'status' | 'verdict'>): ExitCode {
  if (status === 'interrupted') return ExitCode.interrupted;
  if (verdict === 'fail') return ExitCode.gatesFailed;
  return verdict === 'invalid' ? ExitCode.invalid : ExitCode.ok;
}
