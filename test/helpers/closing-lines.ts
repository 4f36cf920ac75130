/** Says at the very end of a test run which tests were skipped, and why: those of the docker driver, and those in a browser. */
import { browserMissing } from './chromium.js';
import { dockerMissing } from './docker.js';

export async function teardown(): Promise<void> {
  const missing = await dockerMissing();
  if (missing !== undefined) console.log(`tests of the docker driver: skipped, ${missing}`);
  const noBrowser = browserMissing();
  if (noBrowser !== undefined) console.log(`tests in a browser: skipped, ${noBrowser}`);
}
