/** Says at the very end of a test run why the tests of the docker driver were skipped, where they were. */
import { dockerMissing } from './docker.js';

export async function teardown(): Promise<void> {
  const missing = await dockerMissing();
  if (missing !== undefined) console.log(`tests of the docker driver: skipped, ${missing}`);
}
