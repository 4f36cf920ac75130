/** A container of testcontainers with what its own interface does not offer: several networks with fixed addresses, volumes, shared namespaces. */
import './reaper-image.js';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { daemonError } from './daemon.js';
import type { Session } from './session.js';

/** An attachment to a network of the session. */
export interface Attachment {
  network: { id: string; name: string };
  /** Fixed address; undefined where the daemon may choose. */
  address?: string;
}

/** All that a container of ours can be asked to be. */
export interface ContainerSpec {
  name: string;
  image: string;
  /** Absent: the image's own. */
  command?: string[];
  /** Networks, or the id of the container whose network namespace it shares. */
  network: Attachment[] | { of: string };
  /** Id of the container whose process namespace it shares. */
  processesOf?: string;
  capabilities?: string[];
  /** An image of the user's own: with the daemon's default capabilities, and without an init of ours. */
  asBuilt?: boolean;
  user?: string;
  env?: Record<string, string>;
  /** RLIMIT_NOFILE. */
  openFiles?: number;
  /** Name of a volume, mounted at `/portparty/shared`. */
  sharedVolume?: string;
  /** Lines of /etc/hosts: name and address. */
  hosts?: [name: string, address: string][];
  /** /proc/sys can be written by whoever has the rights to; only for containers that run nothing but our own program. */
  writableSysctls?: boolean;
  /** Keep its stdin open for whoever attaches. */
  stdin?: boolean;
  /** Called between creation and start, e.g. to put files into it. */
  prepare?: (containerId: string) => Promise<void>;
}

/** Where a node's volume is mounted in every host's container. */
export const SHARED_DIR = '/portparty/shared';

/** A readiness that is not tested: the default of testcontainers would open connections to the measured ports. */
const NO_WAIT = {
  waitUntilReady: async () => {},
  withStartupTimeout() {
    return this;
  },
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
};

class HostContainer extends GenericContainer {
  readonly #spec: ContainerSpec;
  readonly #session: Session;

  constructor(session: Session, spec: ContainerSpec) {
    super(spec.image);
    this.#spec = spec;
    this.#session = session;
    this.withName(`${session.prefix}-${spec.name}`).withLabels(session.labels).withWaitStrategy(NO_WAIT);
    if (spec.command !== undefined) this.withEntrypoint([]).withCommand(spec.command);
    if (spec.user !== undefined) this.withUser(spec.user);
    if (spec.env !== undefined) this.withEnvironment(spec.env);
    if (spec.openFiles !== undefined) this.withUlimits({ nofile: { soft: spec.openFiles, hard: spec.openFiles } });
    if (spec.hosts !== undefined) this.withExtraHosts(spec.hosts.map(([host, ipAddress]) => ({ host, ipAddress })));
    if (spec.asBuilt !== true) this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges:true');
    if (spec.capabilities !== undefined) this.withAddedCapabilities(...spec.capabilities);
    this.joinNetwork(spec.network);
    // An own init reaps what daemons leave behind and passes signals on; it cannot be had in a shared process namespace.
    if (spec.processesOf === undefined) this.hostConfig.Init = spec.asBuilt !== true;
    else this.hostConfig.PidMode = `container:${spec.processesOf}`;
    if (spec.stdin) {
      Object.assign(this.createOpts, { OpenStdin: true, StdinOnce: true, AttachStdin: true });
      // Whoever is spoken to on its streams has no log: the daemon would write all that it says into a file, byte by byte escaped.
      this.hostConfig.LogConfig = { Type: 'none', Config: {} };
    }
    if (spec.writableSysctls) this.hostConfig.ReadonlyPaths = [];
    if (spec.sharedVolume !== undefined)
      this.hostConfig.Mounts = [
        {
          Type: 'volume',
          Source: spec.sharedVolume,
          Target: SHARED_DIR,
          VolumeOptions: { NoCopy: false, Labels: session.labels, DriverConfig: { Name: 'local', Options: {} } },
        },
      ];
  }

  private joinNetwork(network: ContainerSpec['network']): void {
    if ('of' in network) {
      this.withNetworkMode(`container:${network.of}`);
      return;
    }
    // Since Docker 20.10 every container may bind ports below 1024; older daemons, and other runtimes, are told to.
    this.hostConfig.Sysctls = { 'net.ipv4.ip_unprivileged_port_start': '0' };
    const [first] = network;
    if (first === undefined) {
      this.withNetworkMode('none');
      return;
    }
    this.withNetworkMode(first.network.name);
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [first.network.name]: endpoint(first) } };
  }

  protected override async containerCreated(containerId: string): Promise<void> {
    const { network, prepare } = this.#spec;
    const { docker } = this.#session.daemon;
    // One endpoint is all that API versions before 1.44 take at creation.
    for (const attachment of Array.isArray(network) ? network.slice(1) : [])
      await docker
        .getNetwork(attachment.network.id)
        .connect({ Container: containerId, EndpointConfig: endpoint(attachment) });
    await prepare?.(containerId);
  }
}

function endpoint({ address }: Attachment) {
  return address === undefined ? {} : { IPAMConfig: { IPv4Address: address } };
}

/** Creates and starts a container. Throws a PortPartyError (exit 3) in the daemon's own words. */
export async function startContainer(session: Session, spec: ContainerSpec): Promise<StartedTestContainer> {
  try {
    return await new HostContainer(session, spec).start();
  } catch (error) {
    throw daemonError(`starting the container (image ${spec.image})`, error, spec.name);
  }
}
