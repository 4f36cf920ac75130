/** The page of an export that says in plain words what changed, what it was measured to do, and what has no line to paste. */

import type { KindName } from '../../nodes/registry.js';
import type { ChainRecord } from '../../record/chain-record.js';
import type { RunRecord } from '../../record/run-record.js';
import type { Effect } from './effect.js';
import type { ChangedKnob } from './knobs.js';
import type { Part } from './part.js';
import { PRODUCTS } from './products.js';

/** What the page is written from. */
export interface Notes {
  record: RunRecord;
  base: string;
  variant: string;
  effect: Effect;
  /** The effect in words: as measured here, or as the caller says. */
  measured: string;
  knobs: ChangedKnob[];
  parts: Part[];
  chain: ChainRecord;
  /** Nodes of a product or with rules whose configuration the run did not keep, as in an image of the user's own. */
  unread: ReadonlySet<string>;
  /** Whether the events of the two variants differ. */
  otherEvents: boolean;
}

/** `README.md` of an export. */
export function renderNotes(notes: Notes): string {
  const { record, base, variant, effect, measured, parts } = notes;
  const versions = Object.entries(record.environment.versions).map(([name, version]) => `${name} ${version}`);
  const machine = [record.driver, `kernel ${record.environment.kernel}`, ...versions].join(', ');
  const files = parts.map((part) => `* \`${part.name}\`: ${part.about} (${part.node})\n`);
  return `# What \`${variant}\` changes against \`${base}\`

Scenario ${record.scenario.name}, run ${record.id} (${machine}).

Measured: ${measured}.

| | ${base} | ${variant} | what the trials show |
|---|---|---|---|
${effect.rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

It holds for all changes together, in this chain and under this traffic: run the scenario with the lines in your own configuration (\`config:\`)
before you trust them.

## Settings

${settings(notes)}
## Files

${files.length === 0 ? 'None: nothing that changed is a line of a product or of the kernel.\n' : files.join('')}`;
}

function settings(notes: Notes): string {
  const { base, variant, knobs, otherEvents } = notes;
  const rows = knobs.map((knob) => [
    knob.node,
    `\`${knob.knob}\``,
    cell(knob.before),
    cell(knob.after),
    placeOf(knob, notes),
  ]);
  const events = otherEvents ? '\nThe events of the two variants differ as well: see the scenario file.\n' : '';
  if (rows.length === 0) return `No setting of a node or of the traffic differs.\n${events}`;
  const head = `| where | knob | ${base} | ${variant} | line to paste |\n|---|---|---|---|---|\n`;
  return `${head}${rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}${events}`;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** Knobs that are settings of the kernel. */
const KERNEL = new Set(['sysctls', 'timeouts', 'looseTracking']);
/** Knobs that are about the machines and the wires between them. */
const MACHINES: Record<string, string> = {
  hosts: 'none: it is a number of machines',
  to: 'none: it is the way that connections take',
  link: 'none: it is a property of the network',
};

/** The file that has a knob's lines, or why there is none. */
function placeOf({ node, knob }: ChangedKnob, { parts, chain, unread }: Notes): string {
  const of = chain.nodes[node];
  if (node === 'traffic') return "none: it is the clients' own behaviour";
  if (of === undefined) return 'none: the node is not there any more';
  const files = parts.filter((part) => part.node === node).map(({ name }) => name);
  const inFile = (fits: (name: string) => boolean) => {
    const found = files.filter(fits);
    return found.length === 0 ? 'none: no line differs' : found.map((name) => `\`${name}\``).join(', ');
  };
  const isKernel = (name: string) => name.startsWith('99-');
  const isLimit = (name: string) => name.endsWith('.service.d.conf');
  if (MACHINES[knob] !== undefined) return MACHINES[knob];
  if (KERNEL.has(knob) || (knob === 'ports' && of.kind !== 'nat')) return inFile(isKernel);
  if (knob === 'openFiles') return inFile((name) => isLimit(name) || name.startsWith('nginx-'));
  if (unread.has(node)) return 'not known: the record has no configuration of it';
  if (of.kind === 'nat' || of.kind === 'firewall' || PRODUCTS[of.kind as KindName] !== undefined)
    return inFile((name) => !isKernel(name) && !isLimit(name));
  return of.layer === 'client' ? "none: it is the clients' own setting" : "none: it is the application's own setting";
}
