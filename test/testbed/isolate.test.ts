import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, scene, sceneCommand } from './scene.js';

interface Self {
  pid: number;
  links: string[];
  uidMap: [inside: number, outside: number, count: number];
  processes: number;
  scratchIsOwn: boolean;
  softLimit: [soft: string, hard: string];
}

describe.each(runners())('isolation as $who', (runner) => {
  it('puts the program into namespaces of its own with the limits that it may have', async () => {
    const self = await scene<Self>('self', null, runner);
    expect(self).toMatchObject({ pid: 1, links: ['lo'], processes: 1, scratchIsOwn: true });
    expect(self.softLimit[0]).toBe(self.softLimit[1]);
    // Root keeps its rights over all files; an ordinary user is root of nothing but itself.
    if (runner.who === 'root') expect(self.uidMap[2]).toBeGreaterThan(65_536);
    else expect(self.uidMap[2]).toBe(1);
  });

  it('passes on the exit code', async () => {
    const [program, ...argv] = sceneCommand(runner, 'exitWith', 7);
    expect(await codeOf(spawn(program, argv, { stdio: 'ignore' }))).toBe(7);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends in order on %s', async (signal) => {
    const run = await start(runner);
    run.outer.kill(signal);
    expect(await codeOf(run.outer)).toBe(130);
    await allGone(run);
  });

  it('ends at once on the second interrupt', async () => {
    const run = await start(runner, { SCENE_DEAF: '1' });
    run.outer.kill('SIGINT');
    run.outer.kill('SIGTERM');
    expect(await codeOf(run.outer)).toBe(130);
    await allGone(run);
  });

  it('leaves no process and no namespace after kill -9', async () => {
    const run = await start(runner);
    run.outer.kill('SIGKILL');
    await allGone(run);
  });

  it('leaves no process and no namespace when the inner process is killed', async () => {
    const run = await start(runner);
    process.kill(run.inner, 'SIGKILL');
    expect(await codeOf(run.outer)).toBe(3);
    await allGone(run);
  });
});

interface Run {
  outer: ChildProcess;
  /** Id of the inner process as it is numbered here. */
  inner: number;
  /** All processes of its PID namespace, and that namespace. */
  processes: number[];
  pidNamespace: string;
}

/** Starts a chain with daemons and waits until it is up. */
async function start(runner: ReturnType<typeof runners>[0], env: Record<string, string> = {}): Promise<Run> {
  const [program, ...argv] = sceneCommand(runner, 'stay', null);
  const outer = spawn(program, argv, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    outer.stdout!.on('data', (data: Buffer) => String(data).includes('up') && resolve());
    outer.once('exit', (code) => reject(new Error(`the chain did not come up: exit code ${code}`)));
  });
  const inner = descendants(outer.pid!).find((pid) => namespacePid(pid) === 1)!;
  const pidNamespace = namespaceOf(inner)!;
  // NGINX listens before its worker is there.
  await expect.poll(() => inNamespace(pidNamespace).length, { timeout: 10_000 }).toBeGreaterThan(3);
  return { outer, inner, pidNamespace, processes: inNamespace(pidNamespace) };
}

function codeOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

async function allGone({ pidNamespace, processes }: Run): Promise<void> {
  await expect.poll(() => inNamespace(pidNamespace), { timeout: 10_000 }).toEqual([]);
  expect(processes.filter((pid) => existsSync(`/proc/${pid}`) && namespaceOf(pid) === pidNamespace)).toEqual([]);
}

/** Living processes of a PID namespace; one that has ended and waits to be collected has no namespace any more. */
function inNamespace(pidNamespace: string): number[] {
  return processIds().filter((pid) => namespaceOf(pid) === pidNamespace);
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** The process's own number in its innermost PID namespace. */
function namespacePid(pid: number): number | undefined {
  return Number(/^NSpid:.*\s(\d+)$/m.exec(status(pid))?.[1]);
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function descendants(root: number): number[] {
  const children = processIds().filter((pid) => Number(/^PPid:\s+(\d+)/m.exec(status(pid))?.[1]) === root);
  return [...children, ...children.flatMap(descendants)];
}
