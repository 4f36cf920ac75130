/** Exported lines, pasted into real configurations and loaded by the real programs: they do what their comments say that they were measured to do. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { paste } from '../helpers/paste.js';
import { type Finished, portparty, scenarioFile, scratch } from '../helpers/portparty.js';

/** 60 ports and no keep-alive: each request leaves a TIME_WAIT on the balancer, so 60 of 100 get through. */
const NGINX = `
name: export-nginx
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, to: wall }
  wall: { kind: firewall, to: balancer }
  balancer: { kind: nginx, ports: 20000-20059, to: shop }
  shop: { kind: fixed, close: client }
traffic:
  from: buyers
  journey: view-event
  arrivals: [{ for: 500ms, rate: 200/s }]
  process: uniform
  timeout: { connect: 20s, response: 20s }
  maxLateness: 10s
variants:
  as-shipped: {}
  keepalive: { topology: { balancer: { keepalive: 16 } } }
  kernel:
    topology:
      balancer: { ports: 20000-20999, sysctls: { net.ipv4.tcp_fin_timeout: 30 } }
      edge: { addresses: 3, ports: 2000-2999, allocation: fully-random, timeouts: { established: 5m } }
      wall: { rateLimit: { rate: 1000/s, burst: 1000 }, rules: [{ action: reject, port: 1-79 }] }
  haproxy: { topology: { balancer: { kind: haproxy } } }
`;

/** 50 ports for 100 requests at once of a second each. */
const HAPROXY = `
name: export-haproxy
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: haproxy, ports: 30000-30049, to: shop }
  shop: { kind: fixed, serviceTime: 1s }
traffic:
  from: buyers
  journey: view-event
  arrivals: [{ for: 100ms, rate: 1000/s }]
  process: uniform
  timeout: { connect: 20s, response: 20s }
  maxLateness: 10s
variants:
  as-shipped: {}
  queue: { topology: { balancer: { backendConnections: 25, queueTimeout: 20s } } }
`;

const OWN_NGINX = `events {
  worker_connections 1024;
}
http {
  upstream shop {
    {{backends}}
  }
  server {
    listen {{listen}};
    location / {
      proxy_pass http://shop;
    }
  }
}
`;

/** Keeps no connection to a server, as the configuration that was measured. */
const OWN_HAPROXY = `defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  option http-server-close
  http-reuse never
frontend web
  bind {{listen}}
  default_backend shop
backend shop
  {{backends}}
`;

const folder = mkdtempSync(join(tmpdir(), 'portparty-test-'));
const runs = new Map<string, { result: Finished; lines: string }>();

async function exported(scenario: string): Promise<{ result: Finished; lines: string }> {
  const into = mkdtempSync(join(folder, 'run-'));
  const lines = join(into, 'lines');
  const args = ['run', scenarioFile(into, scenario), '--out', join(into, 'results'), '--export', lines];
  return { result: await portparty(args), lines };
}

beforeAll(async () => {
  runs.set('nginx', await exported(NGINX));
  runs.set('haproxy', await exported(HAPROXY));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(run: 'nginx' | 'haproxy', variant: string, name: string): string {
  return readFileSync(join(runs.get(run)!.lines, variant, name), 'utf8');
}

/** Runs the scenario with a configuration of one's own, before and after the lines were pasted into it. */
async function withOwn(scenario: string, name: string, texts: { before: string; after: string }): Promise<number[]> {
  const own = scratch();
  for (const [when, text] of Object.entries(texts)) writeFileSync(join(own, `${when}-${name}`), text);
  const variants = Object.keys(texts)
    .map((when) => `  ${when}: { topology: { balancer: { config: ${when}-${name} } } }\n`)
    .join('');
  const text = `${scenario.slice(0, scenario.indexOf('variants:'))}variants:\n${variants}`;
  const { stdout, stderr } = await portparty(
    ['run', scenarioFile(own, text), '--out', join(own, 'results'), '--json', '--quiet'],
    { cwd: own },
  );
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return (JSON.parse(stdout) as RunRecord).variants.map(({ requests }) => requests.dropped);
}

/** Runs a shell script in a network namespace of its own, as its root. */
function inNamespace(script: string, args: string[] = []) {
  const { status, stdout, stderr } = spawnSync('unshare', ['-Urn', 'sh', '-ec', script, 'sh', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  return { status, stdout, stderr };
}

describe('run --export', () => {
  it('says where it put the lines of each variant but the first', () => {
    const { result, lines } = runs.get('nginx')!;
    for (const variant of ['keepalive', 'kernel', 'haproxy'])
      expect(result.stderr).toContain(`lines to paste: ${join(lines, variant)}\n`);
    expect(existsSync(join(lines, 'as-shipped'))).toBe(false);
  });

  it('says behind each line of nginx.conf what it was measured to do, and nothing of the testbed', () => {
    const text = file('nginx', 'keepalive', 'nginx-balancer.conf');
    const measured = 'dropped 40 → 0 of 100 (1 trial, against as-shipped), all changes together';
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      'http {',
      '  upstream backends {',
      `    keepalive 16;  # ${measured}`,
      '  }',
      '  server {',
      '    location / {',
      `      proxy_http_version 1.1;  # ${measured}`,
      `      proxy_set_header Connection "";  # ${measured}`,
      '    }',
      '  }',
      '}',
    ]);
  });

  it('gives lines that cure an nginx.conf of one’s own', async () => {
    const after = paste(OWN_NGINX, file('nginx', 'keepalive', 'nginx-balancer.conf'), 'braces');
    const checked = join(folder, 'nginx.conf');
    writeFileSync(checked, after.replace('{{listen}}', '80').replace('{{backends}}', 'server 198.18.0.9:80;'));
    const accepted = inNamespace('nginx -t -c "$1" -g "pid $1.pid; error_log stderr;"', [checked]);
    expect(accepted.stderr).toContain('syntax is ok');
    expect(await withOwn(NGINX, 'nginx.conf', { before: OWN_NGINX, after })).toEqual([40, 0]);
  }, 60_000);

  it('gives lines that cure a haproxy.cfg of one’s own', async () => {
    const lines = file('haproxy', 'queue', 'haproxy-balancer.cfg');
    const after = paste(OWN_HAPROXY, lines, 'sections');
    const checked = join(folder, 'haproxy.cfg');
    writeFileSync(
      checked,
      after.replace('{{listen}}', '127.0.0.1:8099').replace('{{backends}}', 'server a 198.18.0.9:80'),
    );
    expect(inNamespace('haproxy -c -f "$1"', [checked])).toMatchObject({ status: 0 });
    const [before, cured] = await withOwn(HAPROXY, 'haproxy.cfg', { before: OWN_HAPROXY, after });
    // 50 on a machine with nothing else to do; where requests come late, earlier ones have given back their ports.
    expect(before).toBeGreaterThan(0);
    expect(cured).toBe(0);
  }, 60_000);

  it('gives the whole configuration of another product, which that product accepts', () => {
    const whole = join(runs.get('nginx')!.lines, 'haproxy', 'haproxy-balancer.cfg');
    expect(inNamespace('haproxy -c -f "$1"', [whole])).toMatchObject({ status: 0 });
    expect(readFileSync(whole, 'utf8')).not.toMatch(/portparty_|stats socket|log-format|\/shm\//);
  });

  it('gives a file of kernel settings that sysctl loads', () => {
    const settings = join(runs.get('nginx')!.lines, 'kernel', '99-portparty-balancer.conf');
    const asked = 'sysctl -q -p "$1"; sysctl net.ipv4.ip_local_port_range net.ipv4.tcp_fin_timeout';
    expect(inNamespace(asked, [settings])).toMatchObject({
      status: 0,
      stdout: 'net.ipv4.ip_local_port_range = 20000\t20999\nnet.ipv4.tcp_fin_timeout = 30\n',
    });
  });

  it('gives rules that nft loads, again and again', () => {
    const [rules, firewall] = ['nat-edge.nft', 'firewall-wall.nft'].map((name) =>
      join(runs.get('nginx')!.lines, 'kernel', name),
    );
    const { status, stdout } = inNamespace('nft -f "$1"; nft -f "$2"; nft -f "$1"; nft -f "$2"; nft list ruleset', [
      rules,
      firewall,
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain('tcp dport 1-79 goto refuse_rule_0');
    expect(stdout).toContain('limit rate over 1000/second burst 1000 packets');
    expect(stdout.match(/oifname.*/g)).toEqual([
      expect.stringMatching(
        /^oifname "eth0" ip protocol tcp numgen inc mod 3 0 snat to [\d.]+:2000-2999 fully-random$/,
      ),
      expect.stringMatching(
        /^oifname "eth0" ip protocol tcp numgen inc mod 2 0 snat to [\d.]+:2000-2999 fully-random$/,
      ),
      expect.stringMatching(/^oifname "eth0" ip protocol tcp snat to [\d.]+:2000-2999 fully-random$/),
    ]);
    expect(file('nginx', 'kernel', '99-portparty-edge.conf')).toContain(
      '\nnet.netfilter.nf_conntrack_tcp_timeout_established = 300\n',
    );
  });

  it.skipIf(spawnSync('iptables', ['-V']).status !== 0)('gives the same rules as commands that iptables takes', () => {
    const script = join(runs.get('nginx')!.lines, 'kernel', 'nat-edge.iptables.sh');
    const { status, stdout } = inNamespace('sh "$1"; iptables -t nat -S POSTROUTING', [script]);
    expect(status).toBe(0);
    expect(
      stdout
        .replace(/198[\d.]+/g, 'A')
        .trim()
        .split('\n')
        .slice(1),
    ).toEqual([
      '-A POSTROUTING -o eth0 -p tcp -m statistic --mode nth --every 3 --packet 0 -j SNAT --to-source A:2000-2999 --random-fully',
      '-A POSTROUTING -o eth0 -p tcp -m statistic --mode nth --every 2 --packet 0 -j SNAT --to-source A:2000-2999 --random-fully',
      '-A POSTROUTING -o eth0 -p tcp -j SNAT --to-source A:2000-2999 --random-fully',
    ]);
  });

  it('refuses a single variant before anything starts', async () => {
    const own = scratch();
    const args = ['run', scenarioFile(own, NGINX), '--variant', 'keepalive', '--export', join(own, 'lines')];
    const { code, stderr } = await portparty(args, { cwd: own });
    expect(code).toBe(2);
    expect(stderr).toContain('only keepalive would run');
    expect(existsSync(join(own, 'results'))).toBe(false);
  });
});
