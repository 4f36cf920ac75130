/** What a reader must know of a machine to compare its figures with another's. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { allowedCpus, versions } from './tools.mjs';

const slug = (text) =>
  text
    .toLowerCase()
    .replaceAll(/\((r|tm)\)|processor|cpu|@.*$/g, ' ')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');

/** Share of processor time since boot that others took of this virtual machine (/proc/stat, `steal`). */
function stolen() {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).slice(1).map(Number);
  return { steal: fields[7] ?? 0, all: fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0) };
}

/** The machine now; `finish()` gives it with what can only be known at the end. No name of its own is in it. */
export function machineNow() {
  const [{ model }] = cpus();
  const usable = allowedCpus().length;
  const before = stolen();
  const begun = new Date();
  const loadBefore = loadavg()[0];
  return {
    /** File name of the results: the day, and what kind of machine. */
    fileName: `${begun.toISOString().slice(0, 10)}-${slug(model)}-${usable}cpu`,
    finish() {
      const after = stolen();
      const share = ((after.steal - before.steal) / Math.max(1, after.all - before.all)) * 100;
      return {
        name: `${model.trim()}, ${usable} ${usable === 1 ? 'processor' : 'processors'}`,
        facts: {
          processor: model.trim(),
          'processors that may be used': usable,
          memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
          kernel: release(),
          'Node.js': process.versions.node,
          ...versions(),
          begun: begun.toISOString(),
          'took, minutes': ((Date.now() - begun.getTime()) / 60_000).toFixed(1),
          'load when it began (1 min): busy above 0.5': loadBefore.toFixed(2),
          'processor time taken by other virtual machines': `${share.toFixed(1)} %`,
        },
      };
    },
  };
}
