/** Installs what the netns driver misses, where the package manager is apt-get and the rights are there; else says the line to type. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { findCommand } from '../find-command.js';

/** How each package manager installs, and its own names where they differ from Debian's. */
const MANAGERS: { command: string; install: string; names: Record<string, string> }[] = [
  { command: 'apt-get', install: 'apt-get install -y --no-install-recommends', names: {} },
  {
    command: 'dnf',
    install: 'dnf install -y',
    names: { iproute2: 'iproute iproute-tc', conntrack: 'conntrack-tools', 'nginx-light': 'nginx' },
  },
  {
    command: 'yum',
    install: 'yum install -y',
    names: { iproute2: 'iproute iproute-tc', conntrack: 'conntrack-tools', 'nginx-light': 'nginx' },
  },
  {
    command: 'zypper',
    install: 'zypper install -y',
    names: { conntrack: 'conntrack-tools', 'nginx-light': 'nginx' },
  },
  {
    command: 'pacman',
    install: 'pacman -S --noconfirm',
    names: { conntrack: 'conntrack-tools', 'nginx-light': 'nginx' },
  },
  { command: 'apk', install: 'apk add', names: { conntrack: 'conntrack-tools', 'nginx-light': 'nginx' } },
];

/** The exact line that installs these Debian packages here, for a person to type; undefined where no package manager is known. */
export function installLine(
  packages: string[],
  has: (command: string) => unknown = findCommand,
  lists = hasPackageLists(),
): string | undefined {
  const manager = MANAGERS.find(({ command }) => has(command));
  if (!manager) return undefined;
  const names = [...new Set(packages)].map((name) => manager.names[name] ?? name);
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  const update = manager.command === 'apt-get' && !lists ? `${sudo}apt-get update && ` : '';
  return `${update}${sudo}${manager.install} ${names.join(' ')}`;
}

/** Whether packages can be installed without asking: as root, or through sudo without a password. */
export function mayInstall(): boolean {
  return findCommand('apt-get') !== undefined && rights() !== undefined;
}

function rights(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  if (!findCommand('sudo')) return undefined;
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
    return ['sudo', '-n'];
  } catch {
    return undefined;
  }
}

/**
 * Installs Debian packages; apt-get's own words go to stderr. Resolves to false when apt-get failed.
 * A daemon that the package starts by itself is stopped: the testbed only needs the program.
 */
export async function install(packages: string[]): Promise<boolean> {
  const prefix = rights();
  if (!prefix) return false;
  const update = () => call([...prefix, 'apt-get', 'update']);
  const line = ['apt-get', 'install', '-y', '--no-install-recommends', ...new Set(packages)];
  const installIt = () => call([...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...line]);
  const hadLists = hasPackageLists();
  const before = services();
  if (!hadLists && !(await update())) return false;
  // Old lists name versions that the mirror no longer has.
  if (!(await installIt()) && !(hadLists && (await update()) && (await installIt()))) return false;
  for (const name of services().filter((name) => !before.includes(name))) await stopService(prefix, name);
  return true;
}

function hasPackageLists(folder = '/var/lib/apt/lists'): boolean {
  return existsSync(folder) && readdirSync(folder).some((file) => /_Packages(\.\w+)?$/.test(file));
}

/** Where packages put what starts their daemons, and the ending of these files' names. */
const SERVICE_FOLDERS: [folder: string, ending: string][] = [
  ['/etc/init.d', ''],
  ['/lib/systemd/system', '.service'],
];

function services(): string[] {
  const names = SERVICE_FOLDERS.filter(([folder]) => existsSync(folder)).flatMap(([folder, ending]) =>
    readdirSync(folder).flatMap((file) => (file.endsWith(ending) ? file.slice(0, file.length - ending.length) : [])),
  );
  // A template (`getty@`) is no service of its own.
  return [...new Set(names)].filter((name) => !name.endsWith('@'));
}

async function stopService(prefix: string[], name: string): Promise<void> {
  if (existsSync('/run/systemd/system')) await call([...prefix, 'systemctl', 'disable', '--now', name]);
  else if (existsSync(`/etc/init.d/${name}`) && findCommand('service'))
    await call([...prefix, 'service', name, 'stop']);
}

function call(argv: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', process.stderr, process.stderr] });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
