// Makes a bare machine fit for the tests of the HTML report in a real browser: `.ci/run`. Says on stdout what there is, or why not.
//
// A Chromium that is there already (PORTPARTY_CHROMIUM, or on PATH) is used as it is. Else, on a Debian or Ubuntu of one's own (root,
// apt-get), chromium is installed. Exits 3 where there can be none.
import { spawnSync } from 'node:child_process';

/** As test/helpers/chromium.ts looks for it. */
const NAMES = ['chromium', 'google-chrome', 'chromium-browser'];

/** Thrown where there can be no browser. */
class NoBrowser extends Error {}

function version() {
  const { PORTPARTY_CHROMIUM: chosen } = process.env;
  for (const name of chosen === undefined ? NAMES : [chosen]) {
    const { status, stdout } = spawnSync(name, ['--version', '--no-sandbox'], { encoding: 'utf8' });
    // Ubuntu's package of this name is a script that asks for a snap.
    if (status === 0 && /\d+\.\d+/.test(stdout)) return stdout.trim();
  }
  if (chosen !== undefined) throw new NoBrowser(`PORTPARTY_CHROMIUM=${chosen} is no browser that runs`);
  return undefined;
}

function install() {
  if (process.platform !== 'linux') throw new NoBrowser(`none is on PATH, and this is ${process.platform}: install Chrome or Chromium`);
  if (process.getuid() !== 0) throw new NoBrowser('none is on PATH, and only root can install one');
  if (spawnSync('apt-get', ['--version']).status !== 0) throw new NoBrowser('none is on PATH, and there is no apt-get');
  process.stderr.write('browser: installing chromium with apt-get\n');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const argv of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'],
  ]) {
    const { status } = spawnSync('apt-get', argv, { env, stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new NoBrowser(`apt-get ${argv.join(' ')} failed`);
  }
}

try {
  let found = version();
  if (found === undefined) {
    install();
    found = version();
  }
  if (found === undefined) throw new NoBrowser('chromium was installed, but does not run');
  console.log(`browser: ${found}`);
} catch (error) {
  if (!(error instanceof NoBrowser)) throw error;
  console.log(`no browser tests: ${error.message}`);
  process.exitCode = 3;
}
