/** What an agent does for each call. */
import { readFileSync, writeFileSync } from 'node:fs';
import { testbedError } from '../errors.js';
import { readClocks } from '../observe/clock.js';
import type { HostWatch } from '../observe/host-watch.js';
import { watchHost } from '../observe/watch-host.js';
import { runCommand } from './commands.js';
import type { AgentCalls, CallName } from './protocol.js';
import { prepareSender, type Sender, type Tell } from './sender.js';

/** A handler per call; it may answer later. */
export type Handlers = {
  [Name in CallName]: (
    ...argument: Parameters<AgentCalls[Name]>
  ) => ReturnType<AgentCalls[Name]> | Promise<ReturnType<AgentCalls[Name]>>;
};

/** The handlers of one agent; `tell` sends what is not asked for. */
export function handlers(tell: Tell): Handlers {
  let watch: HostWatch | undefined;
  let sender: Sender | undefined;
  let cpuAtStart = process.cpuUsage();

  return {
    run: runCommand,
    read: (path) => readFileSync(path, 'utf8'),
    write: ({ path, text }) => writeFileSync(path, text),
    clock: readClocks,
    async watch(order) {
      cpuAtStart = process.cpuUsage();
      watch = await watchHost(order, null, (argv, options) => succeeding(order.host, argv, options?.input));
    },
    async sample() {
      // Before the answer, so that the requests of a sample are those of its moment.
      sender?.tellChanges();
      const { user, system } = process.cpuUsage(cpuAtStart);
      return { ...(await watch!.sample()), agentCpuSeconds: (user + system) / 1e6 };
    },
    unwatch: () => watch!.stop(),
    async prepare({ engine, plan }) {
      sender = await prepareSender(engine, plan, tell);
      return sender.visitors;
    },
    start: (startNs) => sender!.run(startNs),
    stop: () => sender?.stop(),
    async release() {
      await sender?.close();
      sender = undefined;
    },
  };
}

/** Runs a command as `Host.run` does: it fails unless the command succeeds. */
async function succeeding(host: string, argv: string[], input = ''): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await runCommand({ argv, input });
  if (code === 0) return { stdout, stderr };
  throw testbedError(`${argv.join(' ')} failed: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`, host);
}
