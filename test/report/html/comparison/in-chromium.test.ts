/** The page of several runs in a real browser: its numbers, its charts and their keyboard, nothing loaded, nothing that axe finds. */
import { basename, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeComparison } from '../../../../src/report/html/comparison/write-comparison.js';
import { browserMissing, openBrowser } from '../../../helpers/chromium.js';
import { expectAccessible, expectNumbersOf, LOOKS, type Look, openPage } from '../../../helpers/open-page.js';
import { scratch } from '../../../helpers/portparty.js';
import { type MadeOptions, madeRun } from '../made-run.js';

let browser: Browser;

/** Opens the page of three made runs: one as it is, one with more ports, one cut short. */
async function opened(options: MadeOptions = {}, look: Look = {}) {
  const outDir = join(scratch(), 'results');
  const dirs = [{}, { lastPort: 20_119, lost: 10 }, { end: 'interrupted' as const }].map(
    (one) => madeRun({ outDir, trials: 2, ...options, ...one }).dir,
  );
  const folders = Object.fromEntries(dirs.map((dir) => [basename(dir), dir]));
  return { ...(await openPage(browser, writeComparison(dirs), look)), folders };
}

describe.skipIf(browserMissing() !== undefined)('the page of several runs in Chromium', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => await browser.close());

  it('shows the numbers of each run.json, loads nothing, and breaks nothing of its own policy', async () => {
    const { page, folders, loaded, errors } = await opened();
    expect(await expectNumbersOf(page, folders)).toBeGreaterThan(150);
    const totals = await page.$$eval('[data-total="dropped"]', (all) => all.map((one) => one.textContent));
    expect(totals).toEqual(['140', '60', '140']);
    expect(loaded).toEqual([expect.stringMatching(/^file:.*\/comparison\.html$/)]);
    expect(errors).toEqual([]);
    expect(await page.locator('canvas').count()).toBe(5);
  });

  it('says the same without its script', async () => {
    const { page } = await opened({}, { javaScriptEnabled: false });
    expect(await page.locator('main').textContent()).toContain('as-shipped lost 60 of 800 requests');
    expect(await page.locator('[data-overlay-panel]:visible').count()).toBe(2);
    expect(await page.locator('.switch:visible').count()).toBe(0);
  });

  it.each(LOOKS)('gives axe nothing to find and fits: %s, %s', async (colorScheme, _, viewport) => {
    await expectAccessible((await opened({}, { colorScheme, viewport })).page);
  });

  it('reads the lines of all runs at the cursor, by keyboard, and shows another variant', async () => {
    const { page } = await opened();
    await page.getByLabel('Read at').focus();
    for (let step = 0; step < 2; step++) await page.keyboard.press('ArrowRight');
    expect(await page.locator('#overlay-at').textContent()).toBe('0.20 s');
    // From 0.2 s on requests are lost, one per ms: in A for 70 ms, in B for 30 ms.
    expect(await page.locator('#overlay-values-lost').textContent()).toMatch(/A\s*700\/s\s*B\s*300\/s\s*C\s*700\/s/);
    expect(await page.locator('#overlay-name-share').textContent()).toBe('Ports of edge in use');
    // A screen reader hears what the legends say.
    expect(await page.getByLabel('Read at').getAttribute('aria-valuetext')).toBe(
      '0.20 s: Arrivals per second: A 1,000/s, B 1,000/s, C 1,000/s; Lost per second: A 700/s, B 300/s, C 700/s; ' +
        'Ports of edge in use: A 40%, B 40%, C 40%',
    );
    expect(await page.locator('#overlay-values-share').textContent()).toMatch(/A\s*40%/);
    await page.locator('input[name="shown-overlay"][value="as-shipped"]').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('[data-overlay-panel="wider-pool"]').isVisible()).toBe(true);
    expect(await page.locator('[data-overlay-panel="as-shipped"]').isVisible()).toBe(false);
    expect(await page.getByLabel('Read at').getAttribute('aria-valuetext')).toBeNull();
    expect(await page.locator('canvas').count()).toBe(5);
  });

  it('draws hostile names as text', async () => {
    const name = '"><img src=x onerror=alert(1)></script><script>document.title="owned"</script>';
    const { page, loaded, errors } = await opened({ variants: [name, 'other'], edge: name, words: name });
    expect(loaded).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toMatch(/^3 of 3 runs fail|^2 of 3 runs fail/);
  });
});
