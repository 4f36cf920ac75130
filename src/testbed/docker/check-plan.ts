/** Refuses what a daemon cannot do, by node and knob, before anything of the chain is started. */
import { testbedError } from '../../errors.js';
import type { Plan } from '../../topology/plan.js';
import { sysctlError, sysctlPath } from '../sysctl.js';
import { startContainer } from './container.js';
import { daemonError, daemonWords, isNotFound } from './daemon.js';
import { execRun } from './exec.js';
import { pullImage } from './images/pull.js';
import { removeLabelled, TESTBED_LABEL } from './removal.js';
import type { Session } from './session.js';

/** Throws a PortPartyError (exit 3). */
export async function checkPlan(session: Session, plan: Plan): Promise<void> {
  await checkUserImages(session, plan);
  await checkOpenFiles(session, plan);
  await checkDelays(session, plan);
  await checkSysctls(session, plan);
}

const pulled = new Set<string>();

/** Images of the user's own must be there, or be had from their registry. */
async function checkUserImages({ daemon, tell }: Session, plan: Plan): Promise<void> {
  for (const { node, spec } of plan.hosts) {
    if (spec.image === undefined || pulled.has(spec.image)) continue;
    const { docker } = daemon;
    const where = `topology.${node}.image`;
    try {
      await docker.getImage(spec.image).inspect();
    } catch (error) {
      if (!isNotFound(error)) throw daemonError(`looking for the image ${spec.image}`, error, where);
      try {
        await pullImage(docker, spec.image, tell);
      } catch (failed) {
        throw testbedError(
          `the daemon has no image ${spec.image}, and it cannot be pulled: ${daemonWords(failed)}`,
          where,
          `build it first: docker build -t ${spec.image} <folder>`,
          failed,
        );
      }
    }
    pulled.add(spec.image);
  }
}

/** What a probe container found; once per process. */
const probes = new Map<string, Promise<string | undefined>>();

/** Runs a command in a container that is gone afterwards; undefined when it succeeds, else why not. */
function probe(session: Session, name: string, argv: string[], openFiles?: number): Promise<string | undefined> {
  const known = probes.get(name);
  if (known !== undefined) return known;
  const trial = (async () => {
    const prefix = `${session.prefix}-probe-${probes.size}`;
    const probing: Session = { ...session, prefix, labels: { ...session.labels, [TESTBED_LABEL]: prefix } };
    try {
      await probing.need(['gateway']);
      const container = await startContainer(probing, {
        name: 'probe',
        image: probing.images.gateway!,
        network: [],
        capabilities: ['NET_ADMIN'],
        openFiles,
      });
      const { docker } = session.daemon;
      await execRun(session.daemon, docker.getContainer(container.getId()), 'probe', argv);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await removeLabelled(session.daemon.docker, `${TESTBED_LABEL}=${prefix}`);
    }
  })();
  probes.set(name, trial);
  return trial;
}

/** Descriptors that every daemon grants without being asked. */
const ALWAYS_GRANTED = 1024;

/** A limit of open files above the daemon's own is refused: less than was asked for would be another experiment. */
async function checkOpenFiles(session: Session, plan: Plan): Promise<void> {
  const most = plan.hosts.reduce<number>((highest, { spec }) => Math.max(highest, spec.openFiles ?? 0), 0);
  if (most <= ALWAYS_GRANTED) return;
  const failure = await probe(session, `openFiles ${most}`, ['true'], most);
  if (failure === undefined) return;
  const asked = plan.hosts.find(({ spec }) => spec.openFiles === most)!;
  throw testbedError(
    `the Docker daemon does not grant ${most} open files: ${failure}`,
    `topology.${asked.node}.openFiles`,
    'ask for fewer, or raise the limit of the daemon (LimitNOFILE of docker.service, or ulimit -n before dockerd)',
  );
}

/** `link: { delay }` needs netem in the daemon's kernel. */
async function checkDelays(session: Session, plan: Plan): Promise<void> {
  const delayed = plan.hosts.find(({ spec }) => (spec.link?.delay ?? 0) > 0);
  if (delayed === undefined) return;
  const failure = await probe(session, 'netem', ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
  if (failure === undefined) return;
  throw testbedError(
    `the kernel of the Docker daemon (${session.daemon.kernel}) has no netem, which \`link: { delay }\` needs (${failure})`,
    `topology.${delayed.node}.link.delay`,
    'leave the delay out, or load the module sch_netem on the machine of the daemon (sudo modprobe sch_netem)',
  );
}

/** Settings that a scenario names must be there in the daemon's kernel; a value that it refuses is only known when it is set. */
async function checkSysctls(session: Session, plan: Plan): Promise<void> {
  const asked = plan.hosts.flatMap(({ name, spec }) =>
    Object.entries(spec.sysctls ?? {}).map(([sysctl, value]) => ({ name, sysctl, value: String(value) })),
  );
  if (asked.length === 0) return;
  const paths = [...new Set(asked.map(({ sysctl }) => sysctlPath(sysctl)))];
  const failure = await probe(session, `sysctls ${paths.join(' ')}`, ['ls', '-d', ...paths]);
  if (failure === undefined) return;
  const missing = asked.find(({ sysctl }) => failure.includes(`'${sysctlPath(sysctl)}'`));
  if (missing === undefined) throw testbedError(failure, 'sysctls');
  throw sysctlError(missing.name, missing.sysctl, missing.value, { code: 'ENOENT', message: failure });
}
