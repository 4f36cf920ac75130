/** The other generators: which Debian package brings each, how one is installed, and which version is here. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findCommand } from '../../dist/testbed/find-command.js';
import { install, installLine, mayInstall } from '../../dist/testbed/netns/packages.js';

const PACKAGES = { wrk: 'wrk', ab: 'apache2-utils', hey: 'hey', h2load: 'nghttp2-client', nginx: 'nginx-light' };

const missing = (commands) => commands.filter((command) => findCommand(command) === undefined);

/** Installs what is missing, where apt-get and the rights are there; says in lines what is missing still, and how to get it. */
export async function missingTools(commands) {
  const wanted = missing(commands);
  if (wanted.length === 0) return [];
  const packages = wanted.map((command) => PACKAGES[command]);
  if (mayInstall()) {
    process.stderr.write(`bench: installing ${packages.join(' ')}\n`);
    // One by one: hey is not in every distribution.
    for (const one of packages) await install([one]);
  }
  const still = missing(wanted);
  const line = installLine(still.map((command) => PACKAGES[command]));
  return still.length === 0
    ? []
    : [
        `bench: not compared with ${still.join(', ')}, missing here${line === undefined ? '' : `; to install: ${line}`}`,
      ];
}

/** autocannon's own program, run by this Node.js. */
export function autocannonArgv() {
  const require = createRequire(import.meta.url);
  return [process.execPath, join(dirname(require.resolve('autocannon/package.json')), 'autocannon.js')];
}

/** Versions of all that are here. */
export function versions() {
  const require = createRequire(import.meta.url);
  const found = {
    autocannon: require('autocannon/package.json').version,
    undici: require('undici/package.json').version,
  };
  const said = (command, ...argv) => {
    const { stdout, stderr } = spawnSync(command, argv, { encoding: 'utf8' });
    return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0];
  };
  if (findCommand('nginx')) found.nginx = said(findCommand('nginx'), '-v');
  if (findCommand('wrk')) found.wrk = said('wrk', '-v');
  if (findCommand('ab')) found.ab = said('ab', '-V');
  if (findCommand('h2load')) found.h2load = said('h2load', '--version');
  // hey does not say which version it is.
  if (findCommand('hey')) found.hey = debianVersion('hey') ?? 'unknown';
  return found;
}

function debianVersion(name) {
  const { stdout } = spawnSync('dpkg-query', ['-W', name], { encoding: 'utf8' });
  return /\t([\d.]+)/.exec(stdout ?? '')?.[1];
}

/** Processors that this process may use. */
export function allowedCpus() {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
