/** What a variant of a run changes, as files of lines to paste: made from the run's folder, and written to another one. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from '../analysis/comparison/comparison.js';
import { usageError } from '../errors.js';
import { readRendered } from '../record/read-rendered.js';
import { fileNamePart, makeFolders, writeWhole } from '../record/run-files.js';
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { type ExportedFile, exportFiles } from '../report/export/export.js';

/** Which variants of a run. */
export interface ExportOptions {
  /** The variant that it is held against: what a user has now. */
  base: string;
  /** The variant whose settings are exported. */
  variant: string;
  /** The measured effect in words of one line, where it is not to be read from the record: it stands in the comment of every line. */
  measured?: string;
}

/**
 * The settings that `variant` has and `base` has not, as lines of each product, of the kernel and of the firewall, with the
 * measured effect in a comment on each; `README.md` has in words what is no line of any product. `dir` is the run's folder.
 * @throws PortPartyError (exit 2) when the run has no such variant, or kept no configuration of it
 */
export function exportVariant(
  { record, dir }: { record: RunRecord; dir: string },
  { base, variant, measured }: ExportOptions,
): ExportedFile[] {
  const side = (name: string) => ({ variant: named(record, name), rendered: readRendered(dir, name) });
  if (base === variant) throw usageError(`"${variant}" changes nothing against itself`, record.id, 'name two variants');
  return exportFiles({ record, base: side(base), variant: side(variant), measured });
}

function named({ id, variants }: RunRecord, name: string): VariantRecord {
  const found = variants.find((variant) => variant.name === name);
  const told = variants.map((variant) => variant.name).join(', ') || 'none';
  if (found === undefined) throw usageError(`the run has no variant "${name}"`, id, `it has ${told}`);
  return found;
}

/** Exports every variant of a run against the first one, each to a folder of its name; gives these folders' paths. */
export function writeExports(run: { record: RunRecord; dir: string }, into: string): string[] {
  const [base, ...others] = run.record.variants;
  return others.map(({ name }) => {
    const folder = join(into, fileNamePart(name));
    writeExport(exportVariant(run, { base: base.name, variant: name }), folder);
    return folder;
  });
}

/**
 * Exports the variants of a comparison against their base, each to a folder of its name; gives these folders' paths. `dir` is the run's folder.
 * @throws PortPartyError (exit 2) when it compares two runs, or when the folder cannot be made
 */
export function exportCompared({ pairs }: Comparison, run: { record: RunRecord; dir: string }, into: string): string[] {
  if (pairs.some(({ base, other }) => base.run !== other.run))
    throw usageError('lines are exported from the variants of one run', '--export', 'name one run');
  makeExportFolder(into);
  return pairs.map(({ base, other }) => {
    const folder = join(into, fileNamePart(other.variant));
    writeExport(exportVariant(run, { base: base.variant, variant: other.variant }), folder);
    return folder;
  });
}

/** Writes exported files into a folder, which is made where it is missing. */
export function writeExport(files: ExportedFile[], folder: string): void {
  makeFolders(folder);
  for (const { name, text } of files) writeWhole(join(folder, name), text);
}

/**
 * The same for a run.
 * @throws PortPartyError (exit 2) when the folder cannot be made, or when fewer than two variants would run
 */
export function prepareExport(into: string, variants: readonly { name: string }[]): void {
  if (variants.length < 2)
    throw usageError(
      `--export writes what the other variants change against the first one, and only ${variants[0].name} would run`,
      '--export',
      'give the scenario a second variant (`variants: { as-shipped: {}, cured: { … } }`), or name two with --variant',
    );
  makeExportFolder(into);
}

/**
 * Makes the folder that exports will go to, so that a mistake shows before anything is measured.
 * @throws PortPartyError (exit 2) when it cannot be made
 */
export function makeExportFolder(into: string): void {
  try {
    makeFolders(into);
  } catch (error) {
    throw usageError(`cannot make this folder: ${(error as Error).message}`, into, 'choose another --export folder');
  }
  if (!statSync(into).isDirectory()) throw usageError('this is no folder', into, 'choose another --export folder');
}
