/** Runs a program of test/fixtures/ inside namespaces of its own and reads the JSON that it prints. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ISOLATION = '--user --map-root-user --mount --pid --fork --kill-child --net --mount-proc'.split(' ');

export function runFixture<Report>(file: string): Report {
  const path = fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync('unshare', [...ISOLATION, process.execPath, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`the fixture ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Report;
}
