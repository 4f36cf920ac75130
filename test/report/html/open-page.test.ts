/** Which command opens a page: what the user has set, as other programs read it. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openPage } from '../../../src/report/html/open-page.js';
import { scratch } from '../../helpers/portparty.js';

/** A browser that writes down its arguments, one a line; its path, and what it was last called with. */
function madeBrowser(name = 'browser'): { path: string; args(): string[] } {
  const folder = scratch();
  const [path, log] = [join(folder, name), join(folder, 'args')];
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@" > '${log}'\n`);
  chmodSync(path, 0o755);
  return { path, args: () => readFileSync(log, 'utf8').trimEnd().split('\n') };
}

describe('BROWSER', () => {
  it('may have arguments', async () => {
    const { path, args } = madeBrowser();
    await openPage('/a/report.html', { BROWSER: `${path} --new-tab` }, 'linux');
    expect(args()).toEqual(['--new-tab', '/a/report.html']);
  });

  it('may say where the page goes', async () => {
    const { path, args } = madeBrowser();
    await openPage('/a/report.html', { BROWSER: `${path} --app=%s --quiet` }, 'linux');
    expect(args()).toEqual(['--app=/a/report.html', '--quiet']);
  });

  it('may be a path with a blank', async () => {
    const { path, args } = madeBrowser('the browser');
    await openPage('/a/report.html', { BROWSER: path }, 'linux');
    expect(args()).toEqual(['/a/report.html']);
  });

  it('may be a list, of which the first that is there is taken', async () => {
    const { path, args } = madeBrowser();
    const missing = join(scratch(), 'none');
    await openPage('/a/report.html', { BROWSER: [missing, `${path} -x`, missing].join(delimiter) }, 'linux');
    expect(args()).toEqual(['-x', '/a/report.html']);
  });

  it('of which none is there is named', async () => {
    const missing = join(scratch(), 'none');
    const opening = openPage('/a/report.html', { BROWSER: `${missing} -x${delimiter}${missing}2` }, 'linux');
    await expect(opening).rejects.toMatchObject({
      exitCode: 2,
      message: `there is no ${missing} or ${missing}2 to open it with`,
    });
  });
});
