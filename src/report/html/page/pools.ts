/** The pools in the picture of the chain follow the cursor of the time axis, and show their peaks without one. */
import { poolLevel } from '../../pool-level.js';
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
  for (const fill of picture.querySelectorAll<SVGRectElement>('[data-pool]')) {
    const node = fill.getAttribute('data-pool')!;
    const pool = series.pools.find((one) => one.node === node);
    // Of a pool that the charts leave out no more is known than its peak.
    const inUse = bin === undefined ? undefined : pool?.inUse[bin];
    const capacity = Number(fill.getAttribute('data-capacity'));
    setFill(fill, inUse === undefined ? undefined : (inUse ?? 0) / capacity);
    const own = (attribute: string) =>
      [...picture.querySelectorAll(`[${attribute}]`)].filter((one) => one.getAttribute(attribute) === node);
    const known = (told: (value: number) => string) =>
      inUse === undefined ? undefined : inUse === null ? '–' : told(inUse);
    for (const one of own('data-pool-text')) text(one, known(plain)?.concat(' of'));
    for (const one of own('data-pool-share'))
      text(
        one,
        known((value) => poolShare(value / capacity)),
      );
    for (const one of own('data-pool-when'))
      text(one, inUse === undefined ? undefined : `at ${seconds(bin! * series.binS)}`);
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
  fill.setAttribute('class', `fill ${poolLevel(part)}`);
}
