/** A container for one test, as the driver would start it: idle, without capabilities, gone afterwards. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { expect } from 'vitest';

/** What can be done with it. */
export interface ThrowAway {
  /** Runs a command to its end, and expects it to succeed; resolves to what it printed. */
  exec(argv: string[]): Promise<string>;
  /** Its processes, as the daemon's machine sees them. */
  top(): Promise<{ user: string; command: string }[]>;
}

/** Starts one, does something with it, and removes it. */
export async function inContainer(
  docker: Dockerode,
  image: string,
  use: (it: ThrowAway) => Promise<void>,
): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['sleep', 'infinity'],
    HostConfig: { Init: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges:true'], NetworkMode: 'none' },
  });
  try {
    await container.start();
    await use({
      exec: (argv) => run(docker, container, argv),
      async top() {
        const { Titles, Processes } = await container.top({ ps_args: '-eo pid,uid,args' });
        const [user, command] = [Titles.indexOf('UID'), Titles.indexOf('COMMAND')];
        return Processes.map((line: string[]) => ({ user: line[user], command: line.slice(command).join(' ') }));
      },
    });
  } finally {
    await container.remove({ force: true, v: true });
  }
}

async function run(docker: Dockerode, container: Dockerode.Container, argv: string[]): Promise<string> {
  const exec = await container.exec({ Cmd: argv, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const output = new PassThrough();
  docker.modem.demuxStream(stream, output, output);
  stream.once('end', () => output.end());
  const printed = await text(output);
  const { ExitCode } = await exec.inspect();
  expect(ExitCode, `${argv.join(' ')}: ${printed}`).toBe(0);
  return printed;
}
