// Installs dependencies and builds, each only when what it is made from is newer: `npm start` and `npm test` begin with it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const changedAt = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const newestIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, changedAt(`${entry.parentPath ?? entry.path}/${entry.name}`)), 0);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error !== undefined) console.error(`cannot run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  console.error('installing dependencies …');
  // No install script is needed: native code ships prebuilt inside its package.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}
if (changedAt('dist/.built') < Math.max(newestIn('src'), changedAt('tsconfig.json'), changedAt('scripts/build-page.mjs'), changedAt('node_modules/.package-lock.json'))) {
  console.error('building …');
  run('npm', ['run', '--silent', 'build']);
}
