/**
 * Writes docs/licences.md: the licence of every package that an installed Port Party brings along, from package-lock.json.
 * With --check it only says whether the file is true (exit 1 when it is not).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { groupBy } from '../dist/collections.js';

const FILE = 'docs/licences.md';
/** They state it in the old field `licenses`, which the lock file leaves out. */
const OLD_FIELD = { ssh2: 'MIT', buildcheck: 'MIT', 'cpu-features': 'MIT' };
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const rows = Object.entries(packages)
  .filter(([path, { dev }]) => path !== '' && !dev)
  .map(([path, { version, license, optional }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const licence = license ?? OLD_FIELD[name] ?? 'not stated';
    return { name, version, licence, optional: optional ? 'where it fits the machine' : '' };
  })
  .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
const summary = [...groupBy(rows, ({ licence }) => licence)]
  .sort(([, a], [, b]) => b.length - a.length)
  .map(([name, of]) => `${name} (${of.length})`);
const text = `# Licences

Port Party is under the [MIT licence](../LICENSE). Installing it brings these packages along (\`npm run licences\` writes this page from package-lock.json):
${summary.join(', ')}.

| package | version | licence | |
|---|---|---|---|
${rows.map(({ name, version, licence, optional }) => `| ${name} | ${version} | ${licence} | ${optional} |`).join('\n')}
`;

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== text) {
    console.error(`${FILE} is not what package-lock.json says: npm run licences`);
    process.exitCode = 1;
  }
} else writeFileSync(FILE, text);
