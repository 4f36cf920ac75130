/** The difference of two variants as lines to paste: of each product, of the kernel, of the firewall, and in plain words what has none. */
import type { KindName, NodeSpec } from '../../nodes/registry.js';
import { parameters, type VarnishSpec } from '../../nodes/varnish.js';
import type { ChainNode, ChainRecord } from '../../record/chain-record.js';
import type { RunRecord, VariantRecord } from '../../record/run-record.js';
import { hostSysctls } from '../../topology/host-sysctls.js';
import { addressesOf } from './addresses.js';
import { effectOf } from './effect.js';
import { iptablesPart } from './iptables.js';
import { fileLimitPart, kernelPart, type Sysctls } from './kernel.js';
import { changedKnobs } from './knobs.js';
import { renderNotes } from './notes.js';
import { optionsPart } from './options.js';
import type { Part } from './part.js';
import { type FilePair, productPart } from './product.js';
import { PRODUCTS } from './products.js';
import { rulesPart } from './rules.js';

/** One file of an export: its name without a folder, and its text. */
export interface ExportedFile {
  name: string;
  text: string;
}

/** A variant as its run left it. */
export interface RenderedVariant {
  chain: ChainRecord;
  /** The configuration that the first host of each node ran with: by node, by the file's name. */
  files: Record<string, Record<string, string>>;
}

/** Two variants of a run. */
export interface ExportInput {
  record: RunRecord;
  base: { variant: VariantRecord; rendered: RenderedVariant };
  variant: { variant: VariantRecord; rendered: RenderedVariant };
  /** The effect in words, where it is not to be read from the record. */
  measured?: string;
}

/** All files, `README.md` first. */
export function exportFiles({ record, base, variant, measured }: ExportInput): ExportedFile[] {
  const effect = effectOf(record, base.variant, variant.variant);
  // A comment ends with its line, and a backslash would take it into the next one.
  const [words, short] = [measured ?? effect.words, measured ?? effect.short].map((text) =>
    text.replace(/[\s\\]+/g, ' ').trim(),
  );
  const parts = Object.keys(variant.rendered.chain.nodes).flatMap((node) =>
    partsOf(node, base.rendered, variant.rendered),
  );
  const knobs = changedKnobs(base.rendered.chain, variant.rendered.chain);
  const lines = parts.reduce((sum, { changes }) => sum + changes, 0);
  const context = {
    comment: lines > 1 || knobs.length > 1 ? `${short}, all changes together` : short,
    source: `what ${variant.variant.name} changes against ${base.variant.name} (scenario ${record.scenario.name}, run ${record.id})`,
    measured: words,
  };
  const notes = renderNotes({
    record,
    base: base.variant.name,
    variant: variant.variant.name,
    effect,
    measured: words,
    knobs,
    parts,
    chain: variant.rendered.chain,
    unread: unreadIn(variant.rendered),
    otherEvents: eventsOf(base.variant) !== eventsOf(variant.variant),
  });
  return [{ name: 'README.md', text: notes }, ...parts.map((part) => part.render(context))];
}

function unreadIn({ chain, files }: RenderedVariant): Set<string> {
  const nodes = Object.entries(chain.nodes).filter(([node, { kind }]) => {
    const [file] = filesOf(kind);
    return file !== undefined && files[node]?.[file] === undefined;
  });
  return new Set(nodes.map(([node]) => node));
}

/** The files that a kind of node is exported from. */
const filesOf = (kind: string) =>
  hasRules(kind) ? [`${kind}.nft`] : (PRODUCTS[kind as KindName] ?? []).map(({ name }) => name);

const hasRules = (kind: string): kind is 'nat' | 'firewall' => kind === 'nat' || kind === 'firewall';

function eventsOf({ perTrial }: VariantRecord): string {
  return (perTrial[0]?.events ?? []).map(({ event, plannedMs }) => `${plannedMs} ${event}`).join('\n');
}

function partsOf(node: string, base: RenderedVariant, variant: RenderedVariant): Part[] {
  const now = variant.chain.nodes[node];
  const before: ChainNode | undefined = base.chain.nodes[node];
  const sameKind = before?.kind === now.kind ? before : undefined;
  const pairOf = (file: string): FilePair | undefined => {
    const text = variant.files[node]?.[file];
    const old = sameKind === undefined ? undefined : base.files[node]?.[file];
    if (text === undefined) return undefined;
    return {
      base: { text: old, addresses: addressesOf(base.chain) },
      variant: { text, addresses: addressesOf(variant.chain) },
    };
  };
  const products = (PRODUCTS[now.kind as KindName] ?? []).map((file) => {
    const pair = pairOf(file.name);
    return pair === undefined ? undefined : productPart(node, file, pair);
  });
  const rules = hasRules(now.kind) ? pairOf(`${now.kind}.nft`) : undefined;
  return [
    ...products,
    now.kind === 'varnish' ? optionsPart(node, optionsOf(sameKind), optionsOf(now)) : undefined,
    rules === undefined ? undefined : rulesPart(node, now.kind as 'nat' | 'firewall', rules),
    rules === undefined || now.kind === 'firewall' ? undefined : iptablesPart(node, rules),
    kernelPart(node, sysctlsOf(before), sysctlsOf(now)),
    fileLimitPart(node, before?.spec.openFiles, now.spec.openFiles),
  ].filter((part) => part !== undefined);
}

const specOf = ({ kind, to, spec }: ChainNode) => ({ kind, to, ...spec }) as unknown as NodeSpec;

const sysctlsOf = (node: ChainNode | undefined): Sysctls => (node === undefined ? [] : hostSysctls(specOf(node)));

const optionsOf = (node: ChainNode | undefined) =>
  node === undefined ? [] : parameters(specOf(node) as unknown as VarnishSpec);
