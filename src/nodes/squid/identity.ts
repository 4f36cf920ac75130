/** Squid refuses to run as root, and an ordinary user is root inside the testbed: how it becomes somebody else there. */
import type { Host } from '../../testbed/host.js';

/** Any id but root's: inside the namespace of one's own it stands for the user who runs the testbed. */
const SOMEBODY = 1000;

const NEW_USER = ['unshare', '--user', `--map-user=${SOMEBODY}`, `--map-group=${SOMEBODY}`];

/**
 * What goes before squid's command line. In a user namespace of its own, squid has another id and still owns its files. Where
 * that is forbidden (in most containers) it becomes the user that it was built for by itself, for whom the host's folders are opened.
 */
export async function asNobodySpecial(host: Host): Promise<string[]> {
  try {
    await host.run([...NEW_USER, 'true']);
  } catch {
    await host.run(['chmod', '777', host.logDir, host.runDir]);
    return [];
  }
  // In there it has no rights over the host's network.
  await host.setSysctl('net.ipv4.ip_unprivileged_port_start', '0');
  return NEW_USER;
}
