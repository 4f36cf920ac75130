/** One image built by the daemon: its output as progress, its failure as the step that failed and the daemon's own words. */
import type Dockerode from 'dockerode';
import { testbedError } from '../../../errors.js';
import { daemonError } from '../daemon.js';
import { type BuildContext, contextTar } from './context.js';

/** Gets a line of progress at a time. */
export type ImageProgress = (line: string) => void;

/** What one image is built from, and the tag that it gets. */
export interface ImageBuild {
  tag: string;
  context: BuildContext;
  buildArgs: Record<string, string>;
}

/** What the daemon sends while it builds (Docker Engine API, ImageBuild). */
interface BuildMessage {
  stream?: string;
  status?: string;
  error?: string;
  errorDetail?: { message?: string };
}

/** Lines of a failed step's output that are worth showing. */
const LAST_LINES = 8;

/** What apt and npm say when a container's network has no name service. */
const NO_NAMES = /Temporary failure (?:in name resolution|resolving)|Could not resolve|EAI_AGAIN/;

/** Daemons whose own network has been found to have none. */
const withoutNames = new WeakSet<Dockerode>();

/**
 * Builds and tags an image. A second try shares the machine's network where the daemon's own has no name service.
 * Aborted by `signal`, the daemon stops as well. Throws a PortPartyError (exit 3).
 */
export async function buildImage(
  docker: Dockerode,
  build: ImageBuild,
  onProgress: ImageProgress,
  signal?: AbortSignal,
): Promise<void> {
  const first = withoutNames.has(docker) ? 'host' : 'default';
  let failure = await tryBuild(docker, build, first, onProgress, signal);
  if (failure !== undefined && first === 'default' && NO_NAMES.test(failure.output.join('\n'))) {
    withoutNames.add(docker);
    onProgress("the daemon's network has no name service: once more with the machine's own network");
    failure = await tryBuild(docker, build, 'host', onProgress, signal);
  }
  if (failure !== undefined) throw failedBuild(build.tag, failure);
}

interface BuildFailure {
  /** `Step 3/6: RUN …`, '' before the first. */
  step: string;
  words: string;
  output: string[];
}

async function tryBuild(
  docker: Dockerode,
  { tag, context, buildArgs }: ImageBuild,
  networkmode: 'default' | 'host',
  onProgress: ImageProgress,
  signal: AbortSignal | undefined,
): Promise<BuildFailure | undefined> {
  const failure: BuildFailure = { step: '', words: '', output: [] };
  const read = ({ stream, status, error, errorDetail }: BuildMessage) => {
    for (const line of (stream ?? status ?? '').split('\n')) {
      if (line.trim() === '') continue;
      if (/^Step \d+\/\d+ : /.test(line)) {
        failure.step = shortened(line);
        failure.output = [];
        onProgress(failure.step);
      } else failure.output.push(line.trimEnd());
    }
    failure.words ||= errorDetail?.message ?? error ?? '';
  };
  try {
    const output = await docker.buildImage(contextTar(context), {
      t: tag,
      buildargs: { VERSION: context.version, ...proxies(), ...buildArgs },
      networkmode,
      forcerm: true,
      // The builder that every daemon has; BuildKit would need a session with this process.
      version: '1',
      abortSignal: signal,
    });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(output, (error) => (error ? reject(error) : resolve()), read);
    });
    signal?.throwIfAborted();
    // A connection that breaks off looks like an end.
    if (failure.words === '') await docker.getImage(tag).inspect();
  } catch (error) {
    // followProgress rejects with the last message's error, which `read` has seen.
    if (failure.words === '') throw daemonError(`building the image ${tag}`, error);
  }
  return failure.words === '' ? undefined : failure;
}

function failedBuild(tag: string, { step, words, output }: BuildFailure) {
  const shown = output
    .map(withoutColours)
    .filter((line) => !/^\s*$|^ ---> |^Removing intermediate/.test(line) && line !== words)
    .slice(-LAST_LINES);
  const lines = [`building the image ${tag} failed at its ${step === '' ? 'start' : step}: ${words}`, ...shown];
  const full = /no space left on device/i.test(lines.join('\n'));
  const hint = full ? 'docker system df shows what takes the space, docker system prune frees it' : undefined;
  return testbedError(lines.join('\n  '), undefined, hint);
}

/** Where a step's command is cut off. */
const STEP_WIDTH = 90;

function shortened(step: string): string {
  const line = step.replace(' : ', ': ').replace(/\s+/g, ' ').trim();
  return line.length <= STEP_WIDTH ? line : `${line.slice(0, STEP_WIDTH)} …`;
}

function withoutColours(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours begin with
  return line.replace(/\u001b\[[\d;]*m/g, '');
}

/** Proxy settings of this process, which the daemon gives to a build's commands without keeping them in the image. */
function proxies(): Record<string, string> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined || /\/\/(?:localhost|127\.)/.test(value) ? [] : [[name, value]];
    }),
  );
}
