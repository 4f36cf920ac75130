/** The page over a results folder in a real browser: its numbers, its filter, the shapes of its points, nothing loaded, nothing that axe finds. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeIndex } from '../../../../src/report/html/index-page/write-index.js';
import { browserMissing, openBrowser } from '../../../helpers/chromium.js';
import { expectAccessible, expectNumbersOf, LOOKS, type Look, openPage } from '../../../helpers/open-page.js';
import { idOf, latencyGate, type MadeEntry, madeResults } from './made-results.js';

let browser: Browser;

const RUNS: MadeEntry[] = [
  ...Array.from({ length: 42 }, (_, at) => ({ at, gates: [latencyGate(at % 10 === 9 ? 260 + at : 100 + at)] })),
  { at: 60, scenario: 'nat-pool' },
  { at: 61, scenario: 'nat-pool', changes: { verdict: 'invalid' as const } },
  { at: 62, scenario: 'once' },
  { at: 63, scenario: 'once-more' },
];

async function opened(look: Look = {}) {
  const dir = madeResults([...RUNS, { at: 70 }]);
  writeFileSync(join(dir, idOf(70), 'run.json'), '{');
  const folders = Object.fromEntries(
    RUNS.map(({ at, scenario }) => [idOf(at, scenario), join(dir, idOf(at, scenario))]),
  );
  return { ...(await openPage(browser, writeIndex(dir), look)), folders };
}

describe.skipIf(browserMissing() !== undefined)('the page over a results folder in Chromium', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => await browser.close());

  it('shows the numbers of each run.json, loads nothing, and breaks nothing of its own policy', async () => {
    const { page, folders, loaded, errors } = await opened();
    // Of each run what its gate saw, and its highest p99.
    expect(await expectNumbersOf(page, folders)).toBe(2 * RUNS.length);
    const totals = await page.$$eval('#runs [data-total="dropped"]', (all) => all.map((one) => one.textContent));
    expect(totals).toEqual(Array(46).fill('300'));
    expect(loaded).toEqual([expect.stringMatching(/^file:.*\/index\.html$/)]);
    expect(errors).toEqual([]);
  });

  it('marks what failed by its shape, and has every point in a table as well', async () => {
    const { page } = await opened();
    const card = page.locator('[data-scenario="ticket-sale"] .card');
    expect(await card.locator('svg path.failed').count()).toBe(4);
    expect(await card.locator('svg circle.held').count()).toBe(38);
    expect(await card.locator('tbody tr').count()).toBe(42);
    expect(await card.locator('tbody .fails').count()).toBe(4);
    expect(await card.locator('svg title').textContent()).toContain('in 42 runs: it failed in 4');
  });

  it('shows the runs of one scenario or one verdict, by keyboard', async () => {
    const { page } = await opened();
    const shown = () => page.locator('#runs tbody tr:visible').count();
    expect(await shown()).toBe(40);
    await page.getByRole('combobox', { name: 'Verdict' }).focus();
    await page.keyboard.type('Fail');
    await expect.poll(shown).toBe(4);
    expect(await page.locator('#filter-says').textContent()).toBe('4 of 46 runs, newest first.');
    await page.getByRole('combobox', { name: 'Scenario' }).selectOption('nat-pool');
    expect(await shown()).toBe(0);
    await page.getByRole('combobox', { name: 'Verdict' }).selectOption('');
    expect(await shown()).toBe(2);
    expect(await page.locator('.scenario:visible h3').allTextContents()).toEqual(['nat-pool 2 runs']);
  });

  it('has all of it without its script', async () => {
    const { page } = await opened({ javaScriptEnabled: false });
    expect(await page.locator('.filters:visible').count()).toBe(0);
    await page.locator('#older summary').click();
    expect(await page.locator('#runs tbody tr:visible').count()).toBe(46);
    expect(await page.locator('#broken tbody tr:visible').count()).toBe(1);
    expect(await page.locator('svg.trend:visible').count()).toBe(2);
  });

  it.each(LOOKS)('gives axe nothing to find and fits: %s, %s', async (colorScheme, _, viewport) => {
    await expectAccessible((await opened({ colorScheme, viewport })).page);
  });
});
