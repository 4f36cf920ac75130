/**
 * What a running host offers, whichever driver runs it. Nothing outside `testbed/` knows more than this.
 *
 *     buyers[0] --veth--> edge --veth--> balancer --veth--> shop[0]
 *        |                 |                |                 |
 *       Host              Host             Host              Host      <- this file
 */
import type { HostAgent } from '../agent/host-agent.js';
import type { Plan } from '../topology/plan.js';

/** A finished command. */
export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** A daemon that was started on a host. */
export interface HostProcess {
  /** Process id as seen by whoever may signal it. */
  readonly pid: number;
  /** Resolves when it ends: exit code, or null and the signal's name. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  /** True while it has not ended. */
  readonly running: boolean;
  /** Sends a signal to it and its children. */
  signal(
    name: 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT' | 'SIGUSR1' | 'SIGUSR2',
  ): Promise<void>;
}

/** How a daemon is started. */
export interface SpawnOptions {
  /** Name of the log file that its stdout and stderr go to, `<label>.log` in the host's log folder. */
  label: string;
  /** RLIMIT_NOFILE of the daemon; the harness's own limit when absent. */
  openFiles?: number;
  env?: Record<string, string>;
}

/** An image of the user's own, to be started on a host. */
export interface ImageStart {
  image: string;
  /** Name of the log file that its output goes to, `<label>.log`. */
  label: string;
  /** Files put into it before it starts, by absolute path. */
  files: { path: string; text: string }[];
  /** RLIMIT_NOFILE; the daemon's own when absent. */
  openFiles?: number;
}

/** One running host of the testbed. */
export interface Host {
  /** `shop[0]`, or plain `edge` for a node with one host. */
  readonly name: string;
  /** The node's name in the scenario, `shop`. */
  readonly node: string;
  /** Path of the host's network namespace for setns(2), or null where this process cannot enter it. */
  readonly netns: string | null;
  /** The agent beside the host's processes, where this process cannot enter its namespaces. */
  readonly agent?: HostAgent;
  /** Folder of the host's logs and rendered configuration, kept in the record; as the host's own processes see it. */
  readonly logDir: string;
  /** Scratch folder, gone with the testbed; as the host's own processes see it. */
  readonly runDir: string;
  /** Path to the built package (its `dist/`) as the host's own processes see it. */
  readonly distDir: string;
  /** Path of the Node.js binary as the host's own processes see it. */
  readonly nodeBinary: string;
  /** Runs a command to its end. Throws a PortPartyError (exit 3) naming host, command and its stderr when it fails. */
  run(argv: string[], options?: { input?: string }): Promise<CommandResult>;
  /** Starts a daemon; it ends with the testbed at the latest. */
  spawn(argv: string[], options: SpawnOptions): Promise<HostProcess>;
  /**
   * Starts an image of the user's own as it is built, in this host's network. From then on the host's files are the image's.
   * Absent where the driver runs no images.
   */
  startImage?(start: ImageStart): Promise<HostProcess>;
  /** Writes a file; a relative path is taken from `logDir`. Returns the path as the host sees it. */
  writeFile(path: string, text: string): Promise<string>;
  /** Reads a file, '' when there is none; a relative path is taken from `logDir`. */
  readFile(path: string): Promise<string>;
  /** The same file piece by piece, cut anywhere, for large ones; absent where the driver can only give it as a whole. */
  readPieces?(path: string): AsyncIterable<string>;
  /** Sets a sysctl of the host's network namespace, e.g. `net.ipv4.ip_local_port_range`. */
  setSysctl(name: string, value: string): Promise<void>;
  /** Reads a sysctl of the host's network namespace. */
  sysctl(name: string): Promise<string>;
}

/** A chain that is up. */
export interface Testbed {
  readonly driver: 'netns' | 'docker';
  readonly plan: Plan;
  /** By host name, in the plan's order. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** Rejects with a PortPartyError (exit 3) that names the host when one ends by itself; never resolves. Absent where none can. */
  readonly lost?: Promise<never>;
  /** A command that enters a host's network from another terminal, for a person to type. */
  entry(host: string): Promise<string>;
  /** Ends every process and removes every host. Idempotent. */
  down(): Promise<void>;
}
