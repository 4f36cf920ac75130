/** The configuration of a Traffic Server: records.config, and the files beside it. */
import type { Endpoint } from '../../topology/plan.js';
import type { TrafficServerSpec } from '../trafficserver.js';
import { LOG_FORMAT } from './access-log.js';

/** Folders of one Traffic Server, as its host sees them. */
export interface TrafficServerFolders {
  /** Of the configuration and of the logs. */
  logs: string;
  /** Of the lock and of what else belongs to one process. */
  run: string;
}

/** A setting of records.config: `proxy.config.` and its name, its type, and its value. */
export type Setting = [name: string, type: 'INT' | 'STRING', value: number | string];

/** Descriptors that it keeps for itself (THROTTLE_FD_HEADROOM in iocore/net/P_UnixNet.h). */
const OWN_DESCRIPTORS = 192;
/** Room for two lines or three; one that does not fit is never written. */
const LOG_BUFFER_BYTES = 1024;
/** `per_parent_connect_attempts` that no request comes to. */
const NEVER = 1_000;

/**
 * Settings that the testbed decides, for a rendered configuration and for the user's own: its logs, its files, and nothing
 * that looks beyond the testbed. Without a name server a backend that is named by its address would be looked up for half a
 * minute (`disable_reverse_lookup`).
 */
export function ownSettings({ logs }: TrafficServerFolders): Setting[] {
  return [
    ['admin.user_id', 'STRING', '#-1'],
    ['crash_log_helper', 'STRING', 'NULL'],
    ['log.logging_enabled', 'INT', 3],
    ['log.config.filename', 'STRING', 'logging.yaml'],
    ['log.logfile_dir', 'STRING', logs],
    ['log.rolling_enabled', 'INT', 0],
    ['log.sampling_frequency', 'INT', 1],
    // A full buffer is written at once: the smaller, the fewer lines die with a process that is killed.
    ['log.log_buffer_size', 'INT', LOG_BUFFER_BYTES],
    ['log.max_secs_per_buffer', 'INT', 1],
    ['log.periodic_tasks_interval', 'INT', 1],
    ['diags.logfile.filename', 'STRING', 'diags.log'],
    ['diags.logfile.rolling_enabled', 'INT', 0],
    ['diags.output.note', 'STRING', 'L'],
    ['diags.output.warning', 'STRING', 'L'],
    ['diags.output.error', 'STRING', 'L'],
    ['cache.hostdb.disable_reverse_lookup', 'INT', 1],
    ['http.parent_proxy.file', 'STRING', 'parent.config'],
    ['cache.ip_allow.filename', 'STRING', 'ip_allow.yaml'],
    ['url_remap.filename', 'STRING', 'remap.config'],
  ];
}

/** What goes in the place of `{{listen}}`: a port description of `server_ports`. */
export const listenAt = ({ address, port }: Endpoint) => `${port}:ip-in=${address}`;

/** Renders the records.config of a node without a configuration of its own. */
export function renderRecords(spec: TrafficServerSpec, folders: TrafficServerFolders, listen: Endpoint): string {
  return recordsText([
    ...ownSettings(folders),
    ['http.server_ports', 'STRING', listenAt(listen)],
    // The visitor's own Host header goes to the backends.
    ['url_remap.pristine_host_hdr', 'INT', 1],
    ['http.cache.http', 'INT', 0],
    // Else a visitor who has left is noticed only when the backend has answered.
    ['http.allow_half_open', 'INT', 0],
    ['http.keep_alive_enabled_out', 'INT', spec.keepalive === 0 ? 0 : 1],
    ...threads(spec),
    ...limits(spec),
    ...tries(spec),
    ...timeouts(spec),
  ]);
}

/** The settings as lines of records.config. */
export function recordsText(settings: Setting[]): string {
  return settings.map(([name, type, value]) => `CONFIG proxy.config.${name} ${type} ${value}\n`).join('');
}

function threads({ workers, backlog }: TrafficServerSpec): Setting[] {
  return [
    ...(workers === undefined
      ? []
      : ([
          ['exec_thread.autoconfig', 'INT', 0],
          ['exec_thread.limit', 'INT', workers],
        ] satisfies Setting[])),
    ...(backlog === undefined ? [] : ([['net.listen_backlog', 'INT', backlog]] satisfies Setting[])),
  ];
}

function limits({ backendConnections, queueLength, openFiles }: TrafficServerSpec): Setting[] {
  const settings: Setting[] = [];
  if (backendConnections !== undefined) settings.push(['http.per_server.connection.max', 'INT', backendConnections]);
  // It counts the request that asks, too: one that finds n - 1 waiting is refused.
  if (queueLength !== undefined) settings.push(['http.per_server.connection.queue_size', 'INT', queueLength + 1]);
  // As root it would raise its own limit of descriptors, so what it makes of that limit is set instead.
  if (openFiles !== undefined) settings.push(['net.connections_throttle', 'INT', openFiles - OWN_DESCRIPTORS]);
  return settings;
}

function tries({ retries, redispatch, maxFails, failTimeout }: TrafficServerSpec): Setting[] {
  const settings: Setting[] = [];
  if (retries !== undefined) settings.push(['http.parent_proxy.total_connect_attempts', 'INT', retries]);
  if (redispatch !== undefined)
    settings.push(['http.parent_proxy.per_parent_connect_attempts', 'INT', redispatch ? 1 : NEVER]);
  if (maxFails === 0) settings.push(['http.parent_proxy.disable_parent_markdowns', 'INT', 1]);
  else if (maxFails !== undefined) settings.push(['http.parent_proxy.fail_threshold', 'INT', maxFails]);
  if (failTimeout !== undefined) settings.push(['http.parent_proxy.retry_time', 'INT', failTimeout / 1000]);
  return settings;
}

function timeouts({ connectTimeout, responseTimeout }: TrafficServerSpec): Setting[] {
  const settings: Setting[] = [];
  if (connectTimeout !== undefined)
    for (const of of ['parent_proxy.connect_attempts_timeout', 'post_connect_attempts_timeout'])
      settings.push([`http.${of}`, 'INT', connectTimeout / 1000]);
  if (responseTimeout !== undefined)
    settings.push(['http.transaction_no_activity_timeout_out', 'INT', responseTimeout / 1000]);
  return settings;
}

/** The `round_robin` of parent.config. */
const SELECTION = { 'round-robin': 'strict', hash: 'true', 'url-hash': 'consistent_hash', fallback: 'false' } as const;

/** The files beside records.config that say where requests go and how they are logged, by their names. */
export function routesAndLog(spec: TrafficServerSpec, backends: Endpoint[]): Record<string, string> {
  const parents = backends.map(({ address, port }) => `${address}:${port}`);
  const selection = spec.sticky === 'source' ? 'true' : SELECTION[spec.algorithm as keyof typeof SELECTION];
  return {
    'remap.config': `map / http://${parents[0]}/\n`,
    'parent.config': `dest_domain=. parent="${parents.join(';')}" round_robin=${selection} go_direct=false parent_is_proxy=false\n`,
    'logging.yaml': `logging:\n  formats:\n    - name: portparty\n      format: '${LOG_FORMAT}'\n  logs:\n    - filename: access\n      format: portparty\n      mode: ascii\n`,
  };
}

/** All files beside records.config: the same for a rendered configuration and for the user's own. */
export function filesBeside(spec: TrafficServerSpec, backends: Endpoint[]): Record<string, string> {
  return {
    ...routesAndLog(spec, backends),
    'ip_allow.yaml': 'ip_allow:\n  - { apply: in, ip_addrs: 0/0, action: allow, methods: ALL }\n',
    // No cache on disk.
    'storage.config': '',
    'plugin.config': '',
  };
}

/** Where it finds and leaves everything, so that several of them run beside each other (doc/developer-guide/layout/runroot). */
export function runroot({ logs, run }: TrafficServerFolders): string {
  const folders: Record<string, string> = {
    prefix: run,
    exec_prefix: run,
    bindir: '/usr/bin',
    sbindir: '/usr/bin',
    sysconfdir: logs,
    datadir: run,
    includedir: run,
    libdir: run,
    libexecdir: run,
    localstatedir: run,
    runtimedir: run,
    logdir: logs,
    cachedir: run,
  };
  return Object.entries(folders)
    .map(([name, folder]) => `${name}: ${JSON.stringify(folder)}\n`)
    .join('');
}
