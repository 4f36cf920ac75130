/** What this machine offers to the netns driver: each point checked by trying it, with the remedy where it fails. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { KIND_NAMES, kindOf } from '../../nodes/registry.js';
import type { Check } from '../check.js';
import { findCommand, searchPath } from '../find-command.js';
import { canIsolate } from './can-isolate.js';
import { type IsolationMode, launchIsolated } from './launch.js';

/** Oldest Node.js that the package runs on (`engines` of package.json). */
const OLDEST_NODE: [major: number, minor: number] = [20, 11];

/** Descriptors below which a run of a few thousand connections does not fit. */
const FEW_DESCRIPTORS = 10_000;

/** Programs that the driver itself calls, beside those that the kinds of node need. */
const OWN_COMMANDS: { command: string; package: string; required: boolean; version: string[]; without?: string }[] = [
  { command: 'unshare', package: 'util-linux', required: true, version: ['--version'] },
  { command: 'ip', package: 'iproute2', required: true, version: ['-V'] },
  {
    command: 'tc',
    package: 'iproute2',
    required: false,
    version: ['-V'],
    without: '`link: { delay }` cannot be built',
  },
  {
    command: 'conntrack',
    package: 'conntrack',
    required: false,
    version: ['--version'],
    without: 'a kept testbed (--keep) is harder to look into',
  },
];

/** Checks everything; some 100 ms. */
export async function checkNetns(): Promise<Check[]> {
  const isolation = await canIsolate();
  const checks = [
    nodeVersion(),
    {
      name: 'namespaces of its own',
      ok: isolation.ok,
      required: true,
      detail: isolation.ok ? MODES[isolation.mode] : isolation.reason,
      remedies: isolation.ok ? [] : isolation.waysOut,
    },
    ...(await Promise.all(commands().map(checkCommand))),
  ];
  if (isolation.ok) checks.push(...(await checkKernel(isolation.mode)));
  return [...checks, descriptors()];
}

const MODES: Record<IsolationMode, string> = {
  'mapped-root': 'as an ordinary user',
  identity: 'as root, in a user namespace',
  'no-user-namespace': 'as root; user namespaces are forbidden here and not needed',
};

function nodeVersion(): Check {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return {
    name: 'node',
    ok,
    required: true,
    detail: process.versions.node,
    remedies: ok ? [] : [`install Node.js ${OLDEST_NODE.join('.')} or newer (https://nodejs.org)`],
  };
}

function commands() {
  const ofKinds = KIND_NAMES.map((name) => kindOf(name)).flatMap((kind) =>
    Object.entries(kind.commands).map(([command, packageName]) => ({
      command,
      package: packageName,
      required: true,
      version: kind.version?.argv[0] === command ? kind.version.argv.slice(1) : ['--version'],
      without: undefined,
    })),
  );
  const all = [...OWN_COMMANDS, ...ofKinds];
  return all.filter((one, index) => all.findIndex((other) => other.command === one.command) === index);
}

async function checkCommand(wanted: ReturnType<typeof commands>[number]): Promise<Check> {
  const path = findCommand(wanted.command);
  const common = { name: wanted.command, required: wanted.required, package: wanted.package };
  if (path) return { ...common, ok: true, detail: await versionOf(path, wanted.version), remedies: [] };
  const consequence = wanted.without ? `missing; ${wanted.without}` : 'missing';
  return { ...common, ok: false, detail: consequence, remedies: [`install the package ${wanted.package}`] };
}

/** The version in a program's own words: its first x.y or x.y.z. */
async function versionOf(path: string, argv: string[]): Promise<string> {
  const env = { ...process.env, PATH: searchPath(), LC_ALL: 'C' };
  const { stdout, stderr } = await promisify(execFile)(path, argv, { env }).catch((error) => error as never);
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'version unknown';
}

/** What the kernel can do, tried out in namespaces that are gone afterwards. */
async function checkKernel(mode: IsolationMode): Promise<Check[]> {
  const tries: { name: string; argv: string[]; required: boolean; without: string; remedy: string }[] = [
    {
      name: 'virtual cables',
      argv: ['ip', 'link', 'add', 'one0', 'type', 'veth', 'peer', 'name', 'two0'],
      required: true,
      without: 'the kernel has no veth',
      remedy: 'sudo modprobe veth',
    },
    {
      name: 'bridges',
      argv: ['ip', 'link', 'add', 'one0', 'type', 'bridge'],
      required: true,
      without: 'the kernel has no bridges',
      remedy: 'sudo modprobe bridge',
    },
    {
      name: 'NAT',
      argv: [
        'nft',
        'add table ip t; add chain ip t c { type nat hook postrouting priority 100; }; add rule ip t c ip protocol tcp snat to 198.18.0.1:1024-65535',
      ],
      required: true,
      without: 'the kernel has no NAT by nftables',
      remedy: 'sudo modprobe -a nf_tables nft_chain_nat nft_nat nf_conntrack',
    },
    {
      name: 'netem',
      argv: ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'],
      required: false,
      without: 'the kernel has no netem; `link: { delay }` cannot be built (loss can)',
      remedy: 'sudo modprobe sch_netem, where the kernel was built with it',
    },
  ];
  const able = tries.filter((one) => findCommand(one.argv[0]));
  return Promise.all(
    able.map(async ({ name, argv, required, without, remedy }) => {
      const ok = await worksIsolated(mode, argv);
      const detail = ok ? `Linux ${release()}` : `${without} (Linux ${release()})`;
      return { name, ok, required, detail, remedies: ok ? [] : [remedy] };
    }),
  );
}

async function worksIsolated(mode: IsolationMode, argv: string[]): Promise<boolean> {
  const env = { ...process.env, PATH: searchPath() };
  const child = await launchIsolated(mode, argv, ['ignore', 'ignore', 'ignore', 'ignore'], env);
  return (await new Promise((resolve) => child.once('close', resolve))) === 0;
}

function descriptors(): Check {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'unlimited';
  const ok = hard === 'unlimited' || Number(hard) >= FEW_DESCRIPTORS;
  return {
    name: 'open files',
    ok,
    required: false,
    detail: ok ? `up to ${hard}` : `up to ${hard}; runs that hold more connections than that are refused`,
    remedies: ok ? [] : ['raise the hard limit: `ulimit -Hn`, or nofile in /etc/security/limits.conf'],
  };
}
