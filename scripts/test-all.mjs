/**
 * All tests, those of the docker driver and those that take minutes included. What failed is tried once more, file by file, for an hour is
 * not to be thrown away for one of two thousand: the second try has everything afresh, also what a file measures before its tests. Its
 * last lines name what failed first, for that is a bug until shown otherwise. Ends with 0 where everything has passed in the end.
 *
 *   node scripts/test-all.mjs [argument of vitest ...]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** More than these are no accident. */
const MOST_FILES = 4;

const folder = mkdtempSync(join(tmpdir(), 'portparty-test-all-'));
const failedFiles = join(folder, 'failed');
const env = { ...process.env, PORTPARTY_TEST_ALL: '1', PORTPARTY_FAILED_FILES: failedFiles };
/** The exit code of a run with these arguments. */
function vitest(argv) {
  const { status, signal } = spawnSync('npx', ['vitest', 'run', ...argv], { stdio: 'inherit', env });
  return signal === null ? status : 1;
}

let code = vitest(process.argv.slice(2));
const failed = existsSync(failedFiles) ? readFileSync(failedFiles, 'utf8').split('\n').filter(Boolean) : [];
if (code !== 0 && failed.length > 0 && failed.length <= MOST_FILES) {
  console.log(`once more: ${failed.join(' ')}`);
  code = vitest(failed);
  for (const file of failed) console.log(`${code === 0 ? 'flaky' : 'failed first'}: ${file}`);
}
rmSync(folder, { recursive: true });
process.exitCode = code;
