/** A node that runs an image of the user's own: started as it is built, with no more added than the scenario's `config:`. */
import { dirname, join } from 'node:path/posix';
import { testbedError } from '../errors.js';
import type { HostProcess } from '../testbed/host.js';
import { endProcess } from './end-process.js';
import type { NodeContext, NodeKind, RunningNode } from './kind.js';
import { awaitReady, listensOn } from './ready.js';
import type { NodeSpec } from './registry.js';

/** How long an image may take to be ready where the scenario does not say, ms: a Java service's start included. */
const READY_WITHIN_MS = 120_000;
const TAIL_LINES = 5;

/** Starts the image of a host and resolves when it is ready as the scenario's `ready:` says. Throws a PortPartyError (exit 3). */
export async function startUserImage(kind: NodeKind, context: NodeContext<NodeSpec>): Promise<RunningNode> {
  const { host, planned, userConfig } = context;
  const { image, openFiles, ready = 'port' } = planned.spec;
  if (host.startImage === undefined)
    throw testbedError('only the docker driver runs images', `topology.${planned.node}`);
  const config = userConfig === undefined ? undefined : kind.imageConfig!(context as never);
  const daemon = await host.startImage({
    image: image!,
    label: kind.kind,
    files: config === undefined ? [] : filesOf(config),
    openFiles,
  });
  await awaitSign(context, daemon, { ready, log: `${kind.kind}.log` });
  return {
    processes: [daemon],
    reducedAttribution:
      config === undefined
        ? kind.readLogs && kind.layer === 'L7'
          ? `${image} logs as it was built: what it met on its own way to the backends is seen from outside only`
          : undefined
        : config.reducedAttribution,
    stop: () => endProcess(daemon, STOP_WITHIN_MS),
  };
}

/** The configuration at each place where such images expect it, and beside it what belongs to it. */
function filesOf({ paths, text, beside = {} }: ReturnType<NonNullable<NodeKind['imageConfig']>>) {
  return paths.flatMap((path) => [
    { path, text },
    ...Object.entries(beside).map(([name, content]) => ({ path: join(dirname(path), name), text: content })),
  ]);
}

/** How long it may take to end its requests and write its logs, ms. */
const STOP_WITHIN_MS = 2000;

async function awaitSign(
  { host, planned, listen }: NodeContext<NodeSpec>,
  daemon: HostProcess,
  sign: { ready: string; log: string },
) {
  const { image, readyWithin = READY_WITHIN_MS } = planned.spec;
  const { ready, log } = sign;
  const words = async () =>
    (await host.readFile(log)).trim().split('\n').slice(-TAIL_LINES).join('\n') || 'it said nothing';
  await awaitReady(daemon, {
    withinMs: readyWithin,
    isReady,
    ended: async () => testbedError(`${image} ended at its start: ${await words()}`, host.name),
    late: async () =>
      testbedError(
        `${image} is not ready after ${readyWithin / 1000} s (ready: ${ready}): ${await words()}`,
        host.name,
        `it should listen on port ${listen!.port} of all addresses; \`port:\` names another one, \`ready:\` another sign, \`readyWithin:\` a longer time`,
      ),
  });

  async function isReady(): Promise<boolean> {
    if (ready.startsWith('log:')) return (await host.readFile(log)).includes(ready.slice('log:'.length).trim());
    if (!(await listensOn(host, listen!))) return false;
    return ready === 'port' || answers(ready);
  }

  /** Asked from the host itself, before anything is observed: no gateway on the way sees it. */
  async function answers(path: string): Promise<boolean> {
    const { address, port } = listen!;
    try {
      await host.run(['timeout', '2', 'bash', '-c', ASK, 'bash', address, String(port), path]);
      return true;
    } catch {
      return false;
    }
  }
}

/** Ends with 0 when the path at an address and port answers with a status below 400. */
const ASK = `exec 3<>"/dev/tcp/$1/$2" && printf 'GET %s HTTP/1.0\\r\\nHost: %s:%s\\r\\n\\r\\n' "$3" "$1" "$2" >&3 && read -r _ status _ <&3 && [ "$status" -lt 400 ]`;
