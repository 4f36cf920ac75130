// Runs the README's scenario and puts what the terminal shows into the README, so that it never goes stale.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const { status, stdout } = spawnSync('node', ['dist/cli/main.js', 'run', 'scenarios/ticket-sale.yaml'], {
  encoding: 'utf8',
  env: { ...process.env, NO_COLOR: '1' },
  stdio: ['ignore', 'pipe', 2],
});
if (status !== 0) process.exit(status ?? 1);

const readme = readFileSync('README.md', 'utf8');
const [begin, end] = ['<!-- terminal:ticket-sale -->', '<!-- /terminal -->'];
const from = readme.indexOf(begin) + begin.length;
const text = `\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\`\n`;
writeFileSync('README.md', readme.slice(0, from) + text + readme.slice(readme.indexOf(end)));
