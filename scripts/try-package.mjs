/**
 * Packs the package as it would be published, has publint and are-the-types-wrong look at it, and uses it in an empty project: the command
 * line by npx, the library from TypeScript. Exits 1 at the first thing that is wrong. Needs a registry for the dependencies.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'portparty-package-'));
const call = (cwd, program, ...args) => execFileSync(program, args, { cwd, stdio: 'inherit' });
const ask = (cwd, program, ...args) => execFileSync(program, args, { cwd, encoding: 'utf8' }).trim();

try {
  call('.', 'npm', 'pack', '--silent', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder)[0]);
  call('.', 'npx', 'publint', tarball);
  call('.', 'npx', 'attw', tarball, '--profile', 'esm-only', '--format', 'ascii');

  const project = mkdtempSync(join(folder, 'project-'));
  writeFileSync(join(project, 'package.json'), '{ "name": "somebody", "private": true, "type": "module" }\n');
  call(project, 'npm', 'install', '--silent', '--no-fund', '--no-audit', tarball, 'typescript@5.9', '@types/node@20');
  const listed = JSON.parse(ask(project, 'npx', 'portparty', 'list', '--json'));
  if (!listed.some(({ name }) => name === 'ticket-sale')) throw new Error('portparty list does not show ticket-sale');
  writeFileSync(
    join(project, 'use.ts'),
    `import { loadScenario, makePlan, PortPartyError, type RunRecord, run } from 'portparty';
import { matchers } from 'portparty/jest';
const names: (record: RunRecord) => string[] = ({ variants }) => variants.map(({ name }) => name);
const load: (file: string) => Promise<RunRecord> = (file) => run(file, { driver: 'auto', trials: 1 });
const { variants } = await loadScenario('node_modules/portparty/scenarios/nat-pool.yaml');
console.log(makePlan(variants[0]).hosts.length > 1, typeof names, typeof load, typeof PortPartyError, Object.keys(matchers).join());
`,
  );
  const options = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--types', 'node'];
  call(project, 'npx', 'tsc', ...options, 'use.ts');
  if (ask(project, 'node', 'use.js') !== 'true function function function toHoldGates') throw new Error('the library does not load');
  console.log('the package is fit to be published');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
