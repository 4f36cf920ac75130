/** The standard streams of a container's main process or of a command in it, over the daemon's API. */
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Exec } from 'dockerode';
import type { Daemon } from './daemon.js';
import { daemonError } from './daemon.js';

/** The streams of a main process, attached before it starts so that nothing of it is missed. */
export function attachStreams(daemon: Daemon, where: string) {
  let streams: { stdin: Writable; stdout: Readable; stderr: Readable } | undefined;
  return {
    /** To be called between the container's creation and its start. Throws a PortPartyError (exit 3). */
    async attach(containerId: string): Promise<void> {
      try {
        const duplex = await daemon.docker
          .getContainer(containerId)
          .attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
        streams = { stdin: duplex as unknown as Writable, ...parted(daemon, duplex) };
      } catch (error) {
        throw daemonError('attaching to the container', error, where);
      }
    },
    /** The streams; only after `attach` has resolved. */
    opened() {
      return streams!;
    },
  };
}

/** Starts a command that was created by `container.exec`, with its input, and gives its output streams. */
export async function startExec(
  daemon: Daemon,
  exec: Exec,
  input: string | undefined,
): Promise<{ stdout: Readable; stderr: Readable }> {
  const duplex = await exec.start({ hijack: true, stdin: input !== undefined });
  if (input !== undefined) duplex.end(input);
  return parted(daemon, duplex);
}

/** The daemon sends both outputs through one stream, in frames. */
function parted(daemon: Daemon, duplex: NodeJS.ReadWriteStream): { stdout: Readable; stderr: Readable } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  daemon.docker.modem.demuxStream(duplex, stdout, stderr);
  const end = () => {
    stdout.end();
    stderr.end();
  };
  duplex.once('end', end);
  duplex.once('close', end);
  duplex.once('error', end);
  return { stdout, stderr };
}
