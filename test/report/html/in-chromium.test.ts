/** The page of a run in a real browser: its numbers, its charts and their keyboard, nothing loaded, nothing that axe finds, on a phone as well. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../../src/report/html/write-report.js';
import { browserMissing, openBrowser } from '../../helpers/chromium.js';
import { DUE, IN_ITS_WAKE, LOST, type MadeOptions, madeRun } from './made-run.js';

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

let browser: Browser;

/** Opens the page of a made run; what a page must never do fails the test at once. */
async function opened(
  options: MadeOptions = {},
  how: { viewport?: typeof PHONE; colorScheme?: 'light' | 'dark'; javaScriptEnabled?: boolean } = {},
): Promise<{ page: Page; dir: string; loaded: string[]; errors: string[] }> {
  const { dir } = madeRun(options);
  const page = await browser.newPage({ viewport: DESKTOP, ...how });
  const [loaded, errors]: [string[], string[]] = [[], []];
  page.on('request', (request) => loaded.push(request.url()));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => errors.push(message.text()));
  await page.goto(pathToFileURL(writeReport(dir)).href);
  return { page, dir, loaded, errors };
}

describe.skipIf(browserMissing() !== undefined)('the page of a run in Chromium', () => {
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => await browser.close());

  it('shows the numbers of run.json, loads nothing, and breaks nothing of its own policy', async () => {
    const { page, dir, loaded, errors } = await opened({ trials: 2 });
    const record: unknown = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
    const numbers = await page.$$eval('data[data-path]', (all) =>
      all.map((one) => ({
        path: one.getAttribute('data-path')!,
        shown: Number(one.getAttribute('value')),
        text: one.textContent,
      })),
    );
    expect(numbers.length).toBeGreaterThan(50);
    for (const { path, shown, text } of numbers) {
      const recorded = path
        .split('/')
        .slice(1)
        .reduce<unknown>((at: unknown, part: string) => (at as Record<string, unknown>)[part], record);
      expect({ path, shown }).toEqual({ path, shown: recorded });
      // Counts are told to the last one.
      if (Number.isInteger(shown) && /due|completed|dropped|count$/.test(path))
        expect(text).toBe(shown.toLocaleString('en-US'));
    }
    expect(loaded).toEqual([expect.stringMatching(/^file:.*\/report\.html$/)]);
    expect(errors).toEqual([]);
    expect(await page.locator('canvas').count()).toBe(8);
  });

  it('says the same without its script', async () => {
    const { page } = await opened({}, { javaScriptEnabled: false });
    const text = await page.locator('main').textContent();
    expect(text).toContain(`as-shipped lost ${LOST + IN_ITS_WAKE} of ${DUE} requests`);
    expect(await page.locator('[data-panel]:visible').count()).toBe(4);
    expect(await page.locator('.switch:visible').count()).toBe(0);
  });

  it.each([
    ['light', 'phone', PHONE],
    ['dark', 'phone', PHONE],
    ['light', 'desktop', DESKTOP],
    ['dark', 'desktop', DESKTOP],
  ] as const)('gives axe nothing to find and fits: %s, %s', async (colorScheme, _, viewport) => {
    const { page } = await opened({ trials: 2 }, { viewport, colorScheme });
    await page.$$eval('details', (all) => {
      for (const one of all) one.open = true;
    });
    // Axe itself is a script that the page's policy forbids: it is put in from outside.
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', { expression: axe.source });
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      'axe.run()',
    );
    expect(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map((node) => node.html)])).toEqual([]);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
  });

  it('reads all charts and the pools of the chain at the cursor, by keyboard', async () => {
    const { page } = await opened();
    const cursor = page.getByLabel('Read at');
    await cursor.focus();
    for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowRight');
    const said = await cursor.getAttribute('aria-valuetext');
    // 0.3 s: requests come one per ms, the samples said 20 ports more each tenth.
    expect(said).toMatch(/^0\.30 s: due 1,000\/s; completed \d+\/s;/);
    expect(said).toContain('edge 60 of 100 (60%)');
    expect(await page.locator('#chart-requests .legend').textContent()).toMatch(/due\s+1,000\/s/);
    const pool = page.locator('[data-chain="as-shipped"] svg.wide [data-pool="edge"]');
    const tank = page.locator('[data-chain="as-shipped"] svg.wide .tank').nth(0);
    expect(Number(await pool.getAttribute('height')) / Number(await tank.getAttribute('height'))).toBeCloseTo(0.6);
    expect(await page.locator('[data-chain="as-shipped"] svg.wide [data-pool-share="edge"]').textContent()).toBe('60%');
  });

  it('leaves a pool that has no samples at its peak, and says where none was taken yet or any more', async () => {
    const further = Array.from({ length: 8 }, (_, index) => `n${index}`);
    const { page } = await opened({ further });
    const wide = page.locator('[data-chain="as-shipped"] svg.wide');
    const said = async (node: string) => [
      await wide.locator(`[data-pool-text="${node}"]`).textContent(),
      await wide.locator(`[data-pool-share="${node}"]`).textContent(),
      await wide.locator(`[data-pool-when="${node}"]`).textContent(),
    ];
    const width = (node: string) => wide.locator(`[data-pool="${node}"]`).getAttribute('height');
    const [before, fill] = [await said('n7'), await width('n7')];
    await page.getByLabel('Read at').focus();
    for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowRight');
    // Eight pools are in the chart, this one is not.
    expect(await said('n7')).toEqual(before);
    expect(before).toEqual(['1 of', '<0.1%', 'at its peak']);
    expect(await width('n7')).toBe(fill);
    expect(await said('edge')).toEqual(['60 of', '60%', 'at 0.30 s']);
    // The samples end after a second, the trial does not.
    await page.keyboard.press('End');
    expect((await said('edge')).slice(0, 2)).toEqual(['– of', '–']);
    expect(await page.locator('#chart-ports .legend').textContent()).toMatch(/edge\s*–/);
    await page.locator('#chart-ports .u-over').hover();
    await page.mouse.move(0, 0);
    expect(await said('edge')).toEqual(['100 of', '100%', 'at its peak']);
  });

  it('lets go of the charts of a variant that is no longer shown', async () => {
    const page = await browser.newPage({ viewport: DESKTOP });
    // As text: the page's types are not those of the tests.
    await page.addInitScript({
      content: `globalThis.watching = 0;
        globalThis.ResizeObserver = class extends ResizeObserver {
          constructor(callback) { super(callback); globalThis.watching++; }
          disconnect() { globalThis.watching--; super.disconnect(); }
        };`,
    });
    await page.goto(pathToFileURL(writeReport(madeRun().dir)).href);
    const watching = () => page.evaluate<number>('watching');
    const before = await watching();
    expect(before).toBeGreaterThan(0);
    await page.locator('#losses input[value="as-shipped"]').focus();
    for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowRight');
    expect(await watching()).toBe(before);
  });

  it('zooms all charts by keyboard and by the brush, and shows all again', async () => {
    const { page } = await opened();
    const [from, to] = [
      page.getByLabel('From', { exact: false }).first(),
      page.getByLabel('To', { exact: false }).first(),
    ];
    await page.locator('#zoom-from').focus();
    for (let step = 0; step < 2; step++) await page.keyboard.press('ArrowRight');
    await page.locator('#zoom-to').focus();
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator('#zoom-from-out').textContent()).toBe('0.20 s');
    const whole = Number(await page.locator('#zoom-to').getAttribute('max'));
    expect(Number(await page.locator('#zoom-to').inputValue())).toBeCloseTo(whole - 0.1);
    await page.locator('#zoom-all').focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#zoom-from-out').textContent()).toBe('0.00 s');
    await page.locator('#overview').scrollIntoViewIfNeeded();
    const plane = (await page.locator('#overview .u-over').boundingBox())!;
    await page.mouse.move(plane.x + plane.width * 0.25, plane.y + 20);
    await page.mouse.down();
    await page.mouse.move(plane.x + plane.width * 0.5, plane.y + 20);
    await page.mouse.up();
    expect(Number(await page.locator('#zoom-from').inputValue())).toBeCloseTo(whole * 0.25, 0);
    expect(Number(await page.locator('#zoom-to').inputValue())).toBeCloseTo(whole * 0.5, 0);
    expect([await from.isVisible(), await to.isVisible()]).toEqual([true, true]);
  });

  it('shows one variant at a time, the one that lost the most first', async () => {
    const { page } = await opened();
    const panel = (name: string) => page.locator(`#losses [data-panel="${name}"]`);
    expect([await panel('as-shipped').isVisible(), await panel('wider-pool').isVisible()]).toEqual([true, false]);
    await page.locator('#losses input[value="as-shipped"]').focus();
    await page.keyboard.press('ArrowRight');
    expect([await panel('as-shipped').isVisible(), await panel('wider-pool').isVisible()]).toEqual([false, true]);
    expect(await page.locator('#time input[value="wider-pool"]').isChecked()).toBe(true);
    expect(await page.locator('#chart-drops .legend').textContent()).toContain('nothing was lost');
  });

  it('draws hostile names as text', async () => {
    const name = '"><img src=x onerror=alert(1)></script><script>document.title="owned"</script>';
    const { page, loaded, errors } = await opened({ variants: [name, 'other'], edge: name, words: name });
    expect(loaded).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(await page.title()).toBe('Fail: made-run – Port Party');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('canvas').count()).toBe(8);
  });

  it('of 1,000,000 requests is smaller than 5 MB', async () => {
    const bench = fileURLToPath(new URL('../../../bench/report.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [bench, '1000000', '--json', '--no-open']);
    const { requests, pageBytes } = JSON.parse(stdout) as { requests: number; pageBytes: number };
    expect(requests).toBe(1_000_000);
    expect(pageBytes).toBeLessThan(5_000_000);
  }, 300_000);
});
