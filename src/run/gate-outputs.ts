/** `portparty gate` as far as it tells others: JUnit, Markdown, annotations and GitLab's code quality report, as files or on stderr. */
import { appendFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { usageError } from '../errors.js';
import { makeFolders, writeWhole } from '../record/run-files.js';
import type { RunRecord } from '../record/run-record.js';
import { annotationsOf, renderCodeQuality, renderGithubAnnotations } from '../report/annotations.js';
import { renderJunit } from '../report/junit.js';
import { renderMarkdown } from '../report/markdown.js';
import type { JudgedRecord } from './gate-record.js';

/** What is wanted, and the files that it goes to. */
export interface GateOutputs {
  junit?: string;
  /** Absent: added to `$GITHUB_STEP_SUMMARY`, where that is set. */
  markdown?: string;
  /** GitHub's, on stderr. Absent: where `$GITHUB_ACTIONS` is `true`. */
  annotations?: boolean;
  codeQuality?: string;
}

/**
 * Writes what is wanted.
 * @throws PortPartyError (exit 2) that names the file that cannot be written
 */
export function writeGateOutputs(result: JudgedRecord, wanted: GateOutputs, environment = process.env): void {
  const { judged } = result;
  if (wanted.junit !== undefined) write(wanted.junit, renderJunit(judged));
  const summary = environment.GITHUB_STEP_SUMMARY;
  if (wanted.markdown !== undefined) write(wanted.markdown, renderMarkdown(judged));
  else if (summary) write(summary, renderMarkdown(judged), appendFileSync);
  const annotations = annotationsOf(judged, {
    file: inRepository(result.file, environment.GITHUB_WORKSPACE ?? environment.CI_PROJECT_DIR ?? process.cwd()),
    gates: result.written,
  });
  if (wanted.codeQuality !== undefined) write(wanted.codeQuality, renderCodeQuality(annotations));
  if (wanted.annotations ?? environment.GITHUB_ACTIONS === 'true')
    process.stderr.write(renderGithubAnnotations(annotations));
}

/** The result for `--json`: what was decided, without the measured numbers. */
export function gateSummary({ id, scenario, status, verdict, baseline, variants }: RunRecord): object {
  return {
    run: id,
    scenario,
    status,
    verdict,
    ...(baseline === undefined ? {} : { baseline }),
    variants: variants.map(({ name, trials, validity, gates, skippedGates = [] }) => ({
      name,
      trials,
      validity,
      gates,
      skippedGates,
    })),
  };
}

function write(file: string, text: string, how: (file: string, text: string) => void = writeWhole): void {
  try {
    makeFolders(dirname(file));
    how(file, text);
  } catch (error) {
    throw usageError(`it cannot be written: ${(error as Error).message}`, file);
  }
}

/** CI systems know files by their way from the root of the repository. */
function inRepository(file: string, root: string): string {
  const way = relative(root, resolve(file));
  return way.startsWith('..') || isAbsolute(way) ? file : way;
}
