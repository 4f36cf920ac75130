/** An agent as a child of the test, speaking over pipes. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { connectAgent } from '../../src/agent/connect.js';
import type { HostAgent } from '../../src/agent/host-agent.js';

/** The built program. */
const AGENT = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

/** Starts an agent in the test's own namespaces; it ends with the test. */
export async function spawnAgent(
  name: string,
  argv: string[] = [AGENT],
): Promise<{ agent: HostAgent; child: ChildProcessWithoutNullStreams }> {
  const child = spawn(process.execPath, argv);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { agent: await connectAgent(child.stdout, child.stdin, name, child.stderr), child };
}
