/** Gates that fail as annotations of the line that they are written in: GitHub's workflow commands, GitLab's code quality report. */
import { createHash } from 'node:crypto';
import type { RunRecord } from '../record/run-record.js';
import { causesOf, observedAgainst, SKIPPED } from './gate-text.js';

/** Where gates are written. */
export interface GatePlaces {
  /** Relative to the repository. */
  file: string;
  /** Their lines count from 1. Those that are given on the command line are not among them. */
  gates: { gate: string; variants?: string[]; line: number }[];
}

/** One thing to show beside the code. */
export interface Annotation {
  /** `warning` where nothing was decided. */
  level: 'error' | 'warning';
  title: string;
  message: string;
  file: string;
  line: number | undefined;
}

/** What is to be shown of a record: gates that fail, measurements that are invalid, gates that were skipped. */
export function annotationsOf(record: RunRecord, { file, gates }: GatePlaces): Annotation[] {
  return record.variants.flatMap((variant) => {
    const about = (level: Annotation['level'], title: string, message: string, line?: number): Annotation => ({
      level,
      title: `${variant.name}: ${title}`,
      message,
      file,
      line,
    });
    const lineOf = (text: string) =>
      gates.find(({ gate, variants }) => gate === text && (variants?.includes(variant.name) ?? true))?.line;
    const failed = variant.gates
      .filter(({ pass }) => !pass)
      .map((gate) => {
        const seen = `observed: ${observedAgainst(gate)}`;
        const message = [seen, causesOf(record, variant)].filter((text) => text !== '').join('\n');
        return about('error', `${gate.gate} does not hold`, message, lineOf(gate.gate));
      });
    const { valid, reasons } = variant.validity;
    const skipped = (variant.skippedGates ?? []).map((gate) => about('warning', gate, SKIPPED, lineOf(gate)));
    return [
      ...failed,
      ...(valid ? [] : [about('error', 'the measurement is invalid', reasons.join('\n'))]),
      ...skipped,
    ];
  });
}

/**
 * GitHub's workflow commands, one per line, which its runner reads from either output
 * (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
 */
export function renderGithubAnnotations(annotations: Annotation[]): string {
  return annotations
    .map(({ level, title, message, file, line }) => {
      const place = { file, ...(line === undefined ? {} : { line: String(line) }), title };
      const properties = Object.entries(place).map(([name, value]) => `${name}=${escapeProperty(value)}`);
      return `::${level} ${properties.join(',')}::${escapeData(message)}\n`;
    })
    .join('');
}

/** GitLab's code quality report (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format). */
export function renderCodeQuality(annotations: Annotation[]): string {
  const issues = annotations.map(({ level, title, message, file, line }) => ({
    description: `${title} (${message.replace(/\n/g, '; ')})`,
    check_name: 'portparty',
    // Of what it is about and not of what was seen: the same gate failing again is the same issue.
    fingerprint: createHash('sha256').update(`${file}\0${title}`).digest('hex').slice(0, 32),
    severity: level === 'error' ? 'major' : 'info',
    location: { path: file, lines: { begin: line ?? 1 } },
  }));
  return `${JSON.stringify(issues, null, 2)}\n`;
}

/** As actions/toolkit escapes them, `packages/core/src/command.ts`. */
function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
