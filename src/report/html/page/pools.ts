/** The pools in the picture of the chain follow the cursor of the time axis, and show their peaks without one. */
import type { VariantSeries } from '../page-data.js';
import { plain, poolShare, seconds } from './numbers.js';

/** What a part of the picture showed before the cursor came. */
const originals = new Map<Element, string>();

/** Shows the pools of a variant as they were in a bin; undefined is at their peak. */
export function showPools(series: VariantSeries, bin: number | undefined): void {
  const picture = [...document.querySelectorAll('[data-chain]')].find(
    (one) => one.getAttribute('data-chain') === series.name,
  );
  if (picture === undefined) return;
  for (const when of picture.querySelectorAll('[data-pool-when]'))
    text(when, bin === undefined ? undefined : `at ${seconds(bin * series.binS)}`);
  for (const fill of picture.querySelectorAll<SVGRectElement>('[data-pool]')) {
    const node = fill.getAttribute('data-pool')!;
    const pool = series.pools.find((one) => one.node === node);
    const inUse = bin === undefined ? undefined : (pool?.inUse[bin] ?? 0);
    const capacity = Number(fill.getAttribute('data-capacity'));
    setFill(fill, inUse === undefined ? undefined : inUse / capacity);
    const own = (attribute: string) =>
      [...picture.querySelectorAll(`[${attribute}]`)].filter((one) => one.getAttribute(attribute) === node);
    for (const one of own('data-pool-text')) text(one, inUse === undefined ? undefined : `${plain(inUse)} of`);
    for (const one of own('data-pool-share')) text(one, inUse === undefined ? undefined : poolShare(inUse / capacity));
  }
}

function text(element: Element, value: string | undefined): void {
  if (!originals.has(element)) originals.set(element, element.textContent ?? '');
  element.textContent = value ?? originals.get(element)!;
}

const SHAPE = ['x', 'y', 'width', 'height', 'class'];

/** A share of the tank that it is in, which stands just before it. */
function setFill(fill: SVGRectElement, share: number | undefined): void {
  if (!originals.has(fill)) originals.set(fill, JSON.stringify(SHAPE.map((name) => fill.getAttribute(name))));
  if (share === undefined) {
    const before = JSON.parse(originals.get(fill)!) as string[];
    for (const [index, name] of SHAPE.entries()) fill.setAttribute(name, before[index]);
    return;
  }
  const tank = fill.previousElementSibling!;
  const [y, width, height] = ['y', 'width', 'height'].map((name) => Number(tank.getAttribute(name)));
  const part = Math.min(1, share);
  if (height > width) {
    fill.setAttribute('height', String(height * part));
    fill.setAttribute('y', String(y + height * (1 - part)));
  } else fill.setAttribute('width', String(width * part));
  fill.setAttribute('class', `fill ${part >= 1 ? 'full' : part >= 0.8 ? 'tight' : 'easy'}`);
}
