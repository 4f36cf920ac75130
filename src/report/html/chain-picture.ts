/** A picture of the chain: nodes and links, each pool with how full it was, the losses at the node where they happened. SVG, in two layouts. */
import type { ChainRecord } from '../../record/chain-record.js';
import type { CauseCount, Measured } from '../../record/run-record.js';
import { count, list, placeOf, plural } from '../format.js';
import { poolLevel } from '../pool-level.js';
import { columnsOf } from './chain-layout.js';
import { type Content, type Html, html, raw } from './escape.js';
import { poolShare } from './number.js';

/** What the picture shows of one trial. */
export interface PictureOf {
  /** Unique on the page. */
  id: string;
  variant: string;
  chain: Pick<ChainRecord, 'nodes'>;
  ports: Measured['ports'];
  /** Undefined where the trial was cut short before causes were decided. */
  byCause: CauseCount[] | undefined;
}

/** A node as both layouts draw it. */
interface Card {
  name: string;
  kind: string;
  to?: string;
  pool?: { capacity: number; peak: number };
  lost: number;
  causes: { text: string; cause: string }[];
}

/** Causes that are named at a node; the list beside the picture names all. */
const MOST_CAUSES = 3;

/** The picture, once for wide screens and once for narrow ones; style shows one of them. */
export function chainPicture(of: PictureOf): Html {
  const cards = new Map(Object.keys(of.chain.nodes).map((name) => [name, cardOf(of, name)]));
  const words = inWords(of, [...cards.values()]);
  return html`<div class="chain" data-chain="${of.variant}">${wide(of, cards, words)}${narrow(of, cards, words)}</div>
`;
}

function cardOf({ chain, ports, byCause = [] }: PictureOf, name: string): Card {
  const { kind, hosts, to } = chain.nodes[name];
  const own = byCause.filter(({ at }) => at === name);
  const pool = Object.hasOwn(ports, name) && ports[name].capacity > 0 ? ports[name] : undefined;
  const named = own
    .slice(0, MOST_CAUSES)
    .map((entry) => ({ text: `${count(entry.count)} ${entry.cause}`, cause: entry.cause }));
  const more = own.length - named.length;
  return {
    name,
    kind: hosts.length > 1 ? `${kind} × ${hosts.length}` : kind,
    ...(to !== undefined && { to }),
    ...(pool !== undefined && { pool }),
    lost: own.reduce((sum, entry) => sum + entry.count, 0),
    causes: more > 0 ? [...named, { text: `and ${plural(more, 'other cause')}`, cause: '' }] : named,
  };
}

/** The whole picture for those who cannot see it. */
function inWords({ byCause }: PictureOf, cards: Card[]): string {
  const nodes = cards.map(({ name, kind, to, pool }) => {
    const fill = pool === undefined ? '' : `, at its peak ${count(pool.peak)} of ${count(pool.capacity)} ports in use`;
    return `${name} (${kind}${to === undefined ? '' : `, leads to ${to}`}${fill})`;
  });
  if (byCause === undefined) return `${list(nodes)}. What was lost was not decided.`;
  const losses = byCause.map((entry) => `${count(entry.count)} to ${placeOf(entry)}`);
  return `${list(nodes)}. Lost: ${losses.length === 0 ? 'nothing' : list(losses)}.`;
}

const CARD = { width: 184, height: 168, gapX: 44, gapY: 20 };
const LINE = 18;
const TANK = { x: 16, y: 62, width: 26, height: 90 };

function wide(of: PictureOf, cards: Map<string, Card>, words: string): Html {
  const columns = columnsOf(of.chain);
  const heights = columns.map((names) =>
    names.reduce((sum, name) => sum + cardHeight(cards.get(name)!) + CARD.gapY, -CARD.gapY),
  );
  const height = Math.max(...heights);
  const width = columns.length * (CARD.width + CARD.gapX) - CARD.gapX;
  const places = new Map<string, { x: number; y: number }>();
  columns.forEach((names, column) => {
    // All from the top: the links of a plain chain are level.
    let y = 0;
    for (const name of names) {
      places.set(name, { x: column * (CARD.width + CARD.gapX), y });
      y += cardHeight(cards.get(name)!) + CARD.gapY;
    }
  });
  const links = [...cards.values()].map(({ name, to }) => {
    const [from, until] = [places.get(name), to === undefined ? undefined : places.get(to)];
    return from === undefined || until === undefined ? html`` : link(from, until);
  });
  const drawn = [...cards.values()].map((card) => wideCard(card, places.get(card.name)!));
  return svg({ id: `${of.id}-w`, shape: 'wide', width, height, title: titleOf(of), words }, [...links, ...drawn]);
}

const titleOf = ({ variant }: PictureOf) => `The chain in ${variant}`;

function cardHeight(card: Card): number {
  return bodyHeight(card) + (card.lost > 0 ? 12 + LINE * (1 + card.causes.length) : 0);
}

/** Down to where the losses begin. */
const bodyHeight = ({ pool }: Card) => (pool === undefined ? 64 : CARD.height);

/** From the right side of a card to the left side of another, at the height of their names. */
function link(from: { x: number; y: number }, to: { x: number; y: number }): Html {
  const [x1, y1, x2, y2] = [from.x + CARD.width, from.y + 34, to.x - 2, to.y + 34];
  const middle = (x1 + x2) / 2;
  return html`<path class="link" d="M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}"/><path class="tip" d="M${x2} ${y2}l-9 -5v10z"/>`;
}

function wideCard(card: Card, { x, y }: { x: number; y: number }): Html {
  const { name, kind, pool, lost } = card;
  return html`<g transform="translate(${x} ${y})"><rect class="card${raw(lost > 0 ? ' hit' : '')}" width="${CARD.width}" height="${cardHeight(card)}" rx="10"/>
<text class="name" x="16" y="28">${short(name, 18)}</text><text class="kind" x="16" y="47">${short(kind, 22)}</text>
${pool !== undefined && tank(name, pool, TANK)}
${
  pool !== undefined &&
  html`<text class="share" x="56" y="88" data-pool-share="${name}">${poolShare(pool.peak / pool.capacity)}</text>
<text class="small" x="56" y="110" data-pool-text="${name}">${count(pool.peak)} of</text><text class="small" x="56" y="128">${count(pool.capacity)} ports</text>
<text class="small quiet" x="56" y="146" data-pool-when="${name}">at its peak</text>`
}
${lost > 0 && losses(card, 16, bodyHeight(card) + 12)}</g>
`;
}

/** The bar of a pool; the script changes the fill with the cursor of the time axis. */
function tank(
  name: string,
  { peak, capacity }: { peak: number; capacity: number },
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): Html {
  const share = Math.min(1, peak / capacity);
  const isUpright = height > width;
  const [w, h] = isUpright ? [width, height * share] : [width * share, height];
  const top = isUpright ? y + height - h : y;
  return html`<rect class="tank" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/><rect class="fill ${poolLevel(share)}" data-pool="${name}" data-capacity="${capacity}" x="${x}" y="${round(top)}" width="${round(w)}" height="${round(h)}" rx="4"/><rect class="rim" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>`;
}

function losses({ lost, causes }: Card, x: number, y: number): Html {
  return html`<text class="lost" x="${x}" y="${y + 6}">✗ ${count(lost)} lost</text>${causes.map(
    ({ text, cause }, index) =>
      html`<text class="small" x="${x}" y="${y + 6 + LINE * (index + 1)}" data-cause="${cause}">${short(text, 24)}</text>`,
  )}`;
}

const ROW = { width: 320, gap: 22 };

function narrow(of: PictureOf, cards: Map<string, Card>, words: string): Html {
  const names = columnsOf(of.chain).flat();
  let y = 0;
  const drawn: Html[] = [];
  for (const name of names) {
    const card = cards.get(name)!;
    const height = rowHeight(card);
    drawn.push(narrowCard(card, y, height));
    y += height + ROW.gap;
  }
  const height = y - ROW.gap;
  return svg({ id: `${of.id}-n`, shape: 'narrow', width: ROW.width, height, title: titleOf(of), words }, drawn);
}

function rowHeight({ pool, lost, causes }: Card): number {
  return 58 + (pool === undefined ? 0 : 46) + (lost > 0 ? 8 + LINE * (1 + causes.length) : 0);
}

function narrowCard(card: Card, y: number, height: number): Html {
  const { name, kind, to, pool, lost } = card;
  const below = 58 + (pool === undefined ? 0 : 46);
  return html`<g transform="translate(0 ${y})"><rect class="card${raw(lost > 0 ? ' hit' : '')}" x="1" width="${ROW.width - 2}" height="${height}" rx="10"/>
<text class="name" x="16" y="27">${short(name, 32)}</text><text class="kind" x="16" y="46">${short(to === undefined ? kind : `${kind} → ${to}`, 42)}</text>
${pool !== undefined && tank(name, pool, { x: 16, y: 60, width: ROW.width - 32, height: 14 })}
${
  pool !== undefined &&
  html`<text class="small" x="16" y="93"><tspan data-pool-text="${name}">${count(pool.peak)} of</tspan> ${count(pool.capacity)} ports, <tspan data-pool-share="${name}">${poolShare(pool.peak / pool.capacity)}</tspan> <tspan data-pool-when="${name}">at its peak</tspan></text>`
}
${lost > 0 && losses(card, 16, below + 8)}</g>${to !== undefined && html`<path class="tip" d="M${ROW.width / 2} ${y + height + 17}l-6 -10h12z"/>`}
`;
}

function svg(
  {
    id,
    shape,
    width,
    height,
    title,
    words,
  }: {
    id: string;
    shape: 'wide' | 'narrow';
    width: number;
    height: number;
    title: string;
    words: string;
  },
  content: Content[],
): Html {
  return html`<svg class="${shape}" viewBox="-2 -2 ${width + 4} ${round(height + 4)}" width="${width + 4}" height="${round(height + 4)}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title}</title><desc id="${id}-d">${words}</desc>
<g aria-hidden="true">${content}</g></svg>
`;
}

/** What does not fit into its card is cut; the table beside the picture has it whole. */
function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

const round = (value: number) => Number(value.toFixed(1));
