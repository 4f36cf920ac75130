/** The Chromium that the tests of the HTML pages use: the machine's own, never a downloaded one. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'google-chrome', 'chromium-browser'];

/** Its path: `PORTPARTY_CHROMIUM`, or the first one on PATH; undefined where there is none. */
function chromiumPath(): string | undefined {
  const { PORTPARTY_CHROMIUM: chosen, PATH = '' } = process.env;
  const candidates = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  return [...(chosen === undefined ? [] : [chosen]), ...candidates].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why tests in a browser do not run; undefined where they do. */
export function browserMissing(): string | undefined {
  return chromiumPath() === undefined
    ? 'no Chromium is on PATH (node scripts/prepare-browser.mjs installs one)'
    : undefined;
}

/** Starts it. */
export function openBrowser(): Promise<Browser> {
  // Root has no sandbox of Chromium's; the pages are our own, and load nothing.
  return chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
}
