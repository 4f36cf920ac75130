/** A page of ours in Chromium, with what must hold of every page: its numbers are those of run.json, nothing is loaded, axe finds nothing, it fits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

/** Both schemes on both screens. */
export const LOOKS = [
  ['light', 'phone', PHONE],
  ['dark', 'phone', PHONE],
  ['light', 'desktop', DESKTOP],
  ['dark', 'desktop', DESKTOP],
] as const;

/** How a page is opened. */
export interface Look {
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
  javaScriptEnabled?: boolean;
}

/** An open page, with all that it asked for and complained of. */
export interface OpenPage {
  page: Page;
  loaded: string[];
  errors: string[];
}

/** Opens a file. */
export async function openPage(browser: Browser, file: string, look: Look = {}): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: DESKTOP, ...look });
  const [loaded, errors]: [string[], string[]] = [[], []];
  page.on('request', (request) => loaded.push(request.url()));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => errors.push(message.text()));
  await page.goto(pathToFileURL(file).href);
  return { page, loaded, errors };
}

/** Holds every number that names a place in some run's `run.json` against it; gives how many there were. `folders`: by what the page calls the run. */
export async function expectNumbersOf(page: Page, folders: Record<string, string>): Promise<number> {
  const numbers: { run: string; path: string; shown: number; text: string }[] = await page.$$eval(
    'data[data-path]',
    (all) =>
      all.map((one) => ({
        run: one.closest('[data-run]')?.getAttribute('data-run') ?? '',
        path: one.getAttribute('data-path')!,
        shown: Number(one.getAttribute('value')),
        text: one.textContent,
      })),
  );
  for (const { run, path, shown, text } of numbers) {
    const record: unknown = JSON.parse(readFileSync(join(folders[run], 'run.json'), 'utf8'));
    const recorded = path
      .split('/')
      .slice(1)
      .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], record);
    expect({ run, path, shown }).toEqual({ run, path, shown: recorded });
    if (Number.isInteger(shown) && /due|completed|dropped|count$/.test(path))
      expect(text).toBe(shown.toLocaleString('en-US'));
  }
  return numbers.length;
}

/** Unfolds everything and lets axe look at it; and sees that nothing scrolls sideways but what has a region for that. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.$$eval('details', (all) => {
    for (const one of all) one.open = true;
  });
  // Axe itself is a script that the page's policy forbids: it is put in from outside.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe.source });
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
  expect(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map((node) => node.html)])).toEqual([]);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
}
