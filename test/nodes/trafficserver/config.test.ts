import { describe, expect, it } from 'vitest';
import { filesBeside, renderRecords } from '../../../src/nodes/trafficserver/config.js';
import { adaptRecords } from '../../../src/nodes/trafficserver/user-config.js';
import { trafficserver } from '../../../src/nodes/trafficserver.js';

const FOLDERS = { logs: '/logs', run: '/run/x' };
const LISTEN = { host: 'proxy', address: '198.18.0.2', port: 80 };
const BACKENDS = ['198.18.1.2', '198.18.1.3'].map((address) => ({ host: 'shop', address, port: 8080 }));

const spec = (knobs: object = {}) => trafficserver.knobs.parse({ to: 'shop', ...knobs });
const rendered = (knobs: object = {}) => renderRecords(spec(knobs), FOLDERS, LISTEN);
const parents = (knobs: object = {}) => filesBeside(spec(knobs), BACKENDS)['parent.config'];

describe('the rendered configuration', () => {
  it('listens at its address alone, and leaves to Traffic Server what no knob says', () => {
    const text = rendered();
    expect(text).toContain('CONFIG proxy.config.http.server_ports STRING 80:ip-in=198.18.0.2\n');
    expect(text).toContain('CONFIG proxy.config.http.keep_alive_enabled_out INT 0\n');
    expect(text).not.toMatch(/per_server|parent_proxy\.[^f]|timeout|exec_thread|throttle|listen_backlog/);
  });

  it('has a setting for each knob', () => {
    const text = rendered({
      keepalive: 'unlimited',
      backendConnections: 20,
      queueLength: 30,
      retries: 2,
      redispatch: true,
      maxFails: 3,
      failTimeout: '5s',
      connectTimeout: '2s',
      responseTimeout: '4s',
      workers: 2,
      backlog: 64,
      openFiles: 1000,
    });
    for (const setting of [
      'http.keep_alive_enabled_out INT 1',
      'http.per_server.connection.max INT 20',
      // One that finds 30 waiting is the 31st.
      'http.per_server.connection.queue_size INT 31',
      'http.parent_proxy.total_connect_attempts INT 2',
      'http.parent_proxy.per_parent_connect_attempts INT 1',
      'http.parent_proxy.fail_threshold INT 3',
      'http.parent_proxy.retry_time INT 5',
      'http.parent_proxy.connect_attempts_timeout INT 2',
      'http.post_connect_attempts_timeout INT 2',
      'http.transaction_no_activity_timeout_out INT 4',
      'exec_thread.autoconfig INT 0',
      'exec_thread.limit INT 2',
      'net.listen_backlog INT 64',
      'net.connections_throttle INT 808',
    ])
      expect(text).toContain(`CONFIG proxy.config.${setting}\n`);
    expect(rendered({ maxFails: 0 })).toContain('parent_proxy.disable_parent_markdowns INT 1\n');
    expect(rendered({ redispatch: false })).toContain('per_parent_connect_attempts INT 1000\n');
  });

  it('names each backend as a parent, and how one is selected', () => {
    expect(parents()).toBe(
      'dest_domain=. parent="198.18.1.2:8080;198.18.1.3:8080" round_robin=strict go_direct=false parent_is_proxy=false\n',
    );
    expect(parents({ sticky: 'source' })).toContain('round_robin=true ');
    expect(parents({ algorithm: 'hash' })).toContain('round_robin=true ');
    expect(parents({ algorithm: 'url-hash' })).toContain('round_robin=consistent_hash ');
    expect(parents({ algorithm: 'fallback' })).toContain('round_robin=false ');
  });
});

describe('a configuration of the user', () => {
  const USER = `# mine
CONFIG proxy.config.http.server_ports STRING {{listen}}
CONFIG proxy.config.log.logging_enabled INT 0
LOCAL proxy.config.diags.output.note STRING S
CONFIG proxy.config.http.connect_attempts_max_retries INT 7
CONFIG proxy.config.http.allow_half_open INT 0`;

  it('keeps its lines in their places, but for the logs', () => {
    const { text, reducedAttribution } = adaptRecords(USER, FOLDERS, LISTEN);
    expect(reducedAttribution).toBeUndefined();
    expect(text.split('\n').slice(0, 6)).toEqual([
      '# mine',
      'CONFIG proxy.config.http.server_ports STRING 80:ip-in=198.18.0.2',
      '',
      '',
      'CONFIG proxy.config.http.connect_attempts_max_retries INT 7',
      'CONFIG proxy.config.http.allow_half_open INT 0',
    ]);
    expect(text).toContain('CONFIG proxy.config.log.logging_enabled INT 3\n');
    expect(text).not.toContain('keep_alive_enabled_out');
  });

  it('that does not notice a visitor who leaves says what is not seen then', () => {
    const { reducedAttribution } = adaptRecords(USER.replace('half_open INT 0', 'half_open INT 1'), FOLDERS, LISTEN);
    expect(reducedAttribution).toContain('a visitor who leaves is noticed only when the backend has answered');
  });

  it('comes to an image of the user with its routes and its log, and with nothing else', () => {
    const host = { logDir: '/logs', runDir: '/run/x' };
    const context = { host, spec: spec(), listen: LISTEN, backends: BACKENDS, userConfig: USER };
    const { paths, beside } = trafficserver.imageConfig!(context as never);
    expect(paths[0]).toBe('/etc/trafficserver/records.config');
    expect(Object.keys(beside ?? {})).toEqual(['remap.config', 'parent.config', 'logging.yaml']);
  });
});
