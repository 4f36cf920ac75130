/** What an export says of two variants, from values made by hand: which lines, with which words, and what it leaves out. */
import { describe, expect, it } from 'vitest';
import { KIND_NAMES, kindOf } from '../../../src/nodes/registry.js';
import type { ChainNode, ChainRecord } from '../../../src/record/chain-record.js';
import type { RunRecord } from '../../../src/record/run-record.js';
import { exportFiles, type RenderedVariant } from '../../../src/report/export/export.js';
import { PRODUCTS } from '../../../src/report/export/products.js';
import { simulatedRun } from '../../helpers/simulated-runs.js';

const TRAFFIC = { from: ['buyers'], thinkTimeMs: 1000 } as unknown as ChainRecord['traffic'];

/** A proxy with this configuration, at these addresses, in front of as many servers. */
function proxy(
  kind: string,
  file: string,
  text: string,
  {
    spec = {},
    own = '198.18.0.2',
    servers = ['198.18.0.18'],
  }: { spec?: object; own?: string; servers?: string[] } = {},
): RenderedVariant {
  const balancer: ChainNode = {
    kind,
    layer: 'L7',
    to: 'shop',
    hosts: [{ name: 'balancer', addresses: [own] }],
    spec: { hosts: 1, sysctls: {}, ...spec },
  };
  const shop: ChainNode = {
    kind: 'fixed',
    layer: 'server',
    hosts: servers.map((address, index) => ({
      name: servers.length === 1 ? 'shop' : `shop[${index}]`,
      addresses: [address],
    })),
    spec: { hosts: servers.length, sysctls: {} },
  };
  return { chain: { nodes: { balancer, shop }, traffic: TRAFFIC }, files: { balancer: { [file]: text } } };
}

/** The exported files by name, and `MEASURED` in the place of the effect where none is looked at. */
function exported(
  base: RenderedVariant,
  variant: RenderedVariant,
  { measured = 'MEASURED', record = simulated() }: { measured?: string; record?: RunRecord } = {},
): Map<string, string> {
  const [before, after] = record.variants;
  const files = exportFiles({
    record,
    base: { variant: before, rendered: base },
    variant: { variant: after, rendered: variant },
    measured,
  });
  return new Map(files.map(({ name, text }) => [name, text]));
}

/** Without the head of the file. */
const body = (text: string | undefined) => text?.slice(text.indexOf('\n\n') + 2);

function simulated(trials = 1, drops = [100, 0], seed = 3): RunRecord {
  return simulatedRun({ seed, trials, settings: { base: { drops: drops[0] }, other: { drops: drops[1] } } });
}

/** The words behind the one line that two configurations have apart. */
function words(record: RunRecord): string {
  const [base, variant] = ['nbthread 1', 'nbthread 2'].map((line) =>
    proxy('haproxy', 'haproxy.cfg', `global\n  ${line}\n`),
  );
  const [before, after] = record.variants;
  const files = exportFiles({
    record,
    base: { variant: before, rendered: base },
    variant: { variant: after, rendered: variant },
  });
  return files[1].text.split('  # ').at(-1)!.trim();
}

describe('the words of the effect', () => {
  it('name what was dropped before and after, the trials and the base', () => {
    const record = simulated();
    const [before, after] = record.variants.map(({ requests }) => requests);
    expect(words(record)).toBe(
      `dropped ${before.dropped} → ${after.dropped} of ${after.due.toLocaleString('en-US')} (1 trial, against base)`,
    );
  });

  it('say that trials show it, where there are enough', () => {
    expect(words(simulated(8))).toMatch(/^dropped \d+ → \d+ of [\d,]+ \(better, shown by 8 trials, against base\)$/);
  });

  it('name no winner where the trials show no difference', () => {
    expect(words(simulated(8, [100, 100]))).toMatch(/no difference that 8 trials can show, against base\)$/);
  });

  it('say that nothing changed where nothing did', () => {
    const record = simulated(8, [100, 100]);
    const [first] = record.variants;
    const same = { ...record, variants: [first, { ...first, name: 'other' }] };
    expect(words(same)).toBe('changed nothing that 8 trials can show, against base');
  });

  it('warn of an invalid measurement', () => {
    const record = simulated();
    record.variants[1].validity = { valid: false, reasons: ['the generator was late'] };
    expect(words(record)).toMatch(/^MEASURED INVALIDLY \(other\), do not trust: dropped /);
  });

  it('cannot break out of the comment when the caller gives them', () => {
    const [base, variant] = ['nbthread 1', 'nbthread 2'].map((line) =>
      proxy('haproxy', 'haproxy.cfg', `global\n  ${line}\n`),
    );
    const text = exported(base, variant, { measured: 'two\nlines \\' }).get('haproxy-balancer.cfg');
    expect(body(text)).toBe('global\n  # was: nbthread 1\n  nbthread 2  # two lines\n');
  });
});

describe('lines of a product', () => {
  it('are there for every kind of proxy', () => {
    const proxies = KIND_NAMES.filter((name) => kindOf(name).layer === 'L7');
    expect(proxies.length).toBeGreaterThan(5);
    for (const name of proxies) expect(PRODUCTS[name], name).toBeDefined();
  });

  it('are none where only the testbed’s addresses and files differ', () => {
    const text = (own: string, shop: string, folder: string) =>
      `pid "${folder}/nginx.pid";\nhttp {\n  access_log "${folder}/access.log";\n  upstream backends {\n    server ${shop}:8080;\n  }\n  server {\n    listen ${own}:80;\n  }\n}\n`;
    const base = proxy('nginx', 'nginx.conf', text('198.18.0.2', '198.18.0.18', '/a'));
    const moved = { own: '198.18.0.10', servers: ['198.18.0.34'] };
    const variant = proxy('nginx', 'nginx.conf', text('198.18.0.10', '198.18.0.34', '/b'), moved);
    expect([...exported(base, variant).keys()]).toEqual(['README.md']);
  });

  it('say what stood there before, and that an address is the testbed’s', () => {
    const text = (more: string, keep: string) =>
      `http {\n  upstream backends {\n    server 198.18.0.18:8080 max_fails=1${more};\n${keep}  }\n}\n`;
    const base = proxy('nginx', 'nginx.conf', text('', '    least_conn;\n'));
    const variant = proxy('nginx', 'nginx.conf', text(' max_conns=9', ''));
    expect(body(exported(base, variant).get('nginx-balancer.conf'))).toBe(`http {
  upstream backends {
    # remove: least_conn;  # MEASURED, all changes together
    # was: server 198.18.0.18:8080 max_fails=1;
    server 198.18.0.18:8080 max_fails=1 max_conns=9;  # MEASURED, all changes together; new here: max_conns=9; the testbed's address, put your own
  }
}
`);
  });

  it('keep a directive of the user’s own that goes over several lines whole', () => {
    const text = (last: string) =>
      `http {\n  server {\n    add_header X-Cache\n      "a { b"\n      ${last};\n  }\n}\n`;
    const [base, variant] = ['one', 'always'].map((last) => proxy('nginx', 'nginx.conf', text(last)));
    expect(body(exported(base, variant).get('nginx-balancer.conf'))).toContain(
      '    # was: add_header X-Cache "a { b" one;\n    add_header X-Cache "a { b" always;  # MEASURED\n',
    );
  });

  it('of HAProxy’s servers are one default-server line where all of them have the same options, and else a line each', () => {
    const servers = ['198.18.0.18', '198.18.0.19'];
    const text = (options: string[]) =>
      `backend backends\n${servers.map((address, index) => `  server shop-${index} ${address}:8080${options[index]}\n`).join('')}`;
    const [plain, limited, weighted] = [
      ['', ''],
      [' maxconn 40', ' maxconn 40'],
      [' weight 1', ' weight 3'],
    ].map((options) => proxy('haproxy', 'haproxy.cfg', text(options), { servers }));
    expect(body(exported(plain, limited).get('haproxy-balancer.cfg'))).toBe(
      'backend backends\n  default-server maxconn 40  # MEASURED; above your `server` lines, or the same words on each of them\n',
    );
    expect(body(exported(limited, plain).get('haproxy-balancer.cfg'))).toBe(
      'backend backends\n  # remove: maxconn 40, on each server line  # MEASURED\n',
    );
    expect(body(exported(plain, weighted).get('haproxy-balancer.cfg'))).toContain(
      '  server shop-1 198.18.0.19:8080 weight 3',
    );
  });

  it('of a Caddyfile that has one backend more are one `to` line', () => {
    const text = (addresses: string) => `http://:80 {\n\treverse_proxy ${addresses} {\n\t\tlb_retries 2\n\t}\n}\n`;
    const base = proxy('caddy', 'Caddyfile', text('198.18.0.18:8080'));
    const servers = ['198.18.0.18', '198.18.0.19'];
    const variant = proxy('caddy', 'Caddyfile', text('198.18.0.18:8080 198.18.0.19:8080'), { servers });
    expect(body(exported(base, variant).get('caddy-balancer.Caddyfile'))).toBe(
      `http://:80 {
  reverse_proxy {
    # was: to 198.18.0.18:8080
    to 198.18.0.18:8080 198.18.0.19:8080  # MEASURED; the testbed's address, put your own
  }
}
`,
    );
  });

  it('have their comment above them where the product knows none behind a line', () => {
    const [base, variant] = ['off', 'on'].map((value) =>
      proxy('squid', 'squid.conf', `buffered_logs off\nserver_persistent_connections ${value}\n`),
    );
    expect(body(exported(base, variant).get('squid-balancer.conf'))).toBe(
      '# was: server_persistent_connections off\n# MEASURED\nserver_persistent_connections on\n',
    );
  });

  it('of Varnish’s command line are a file of their own', () => {
    const [base, variant] = [{}, { backlog: 3000 }].map((spec) =>
      proxy('varnish', 'default.vcl', 'vcl 4.1;\n', { spec }),
    );
    const files = exported(base, variant);
    expect([...files.keys()]).toEqual(['README.md', 'varnish-balancer.options']);
    expect(body(files.get('varnish-balancer.options'))).toContain('\n-p listen_depth=3000\n');
  });
});

describe('kernel settings', () => {
  it('have every comment on a line of its own, and name what the variant does not set any more', () => {
    const [base, variant] = [
      { sysctls: { 'net.ipv4.tcp_fin_timeout': 10, 'net.core.somaxconn': 100 } },
      { sysctls: { 'net.core.somaxconn': 4096 }, ports: { lo: 1024, hi: 65_535 } },
    ].map((spec) => proxy('nginx', 'nginx.conf', '', { spec }));
    expect(body(exported(base, variant).get('99-portparty-balancer.conf'))).toBe(`# MEASURED, all changes together
# was: the kernel's own default
net.ipv4.ip_local_port_range = 1024 65535
# MEASURED, all changes together
# was: net.core.somaxconn = 100
net.core.somaxconn = 4096
# remove: net.ipv4.tcp_fin_timeout = 10  # MEASURED, all changes together
`);
  });
});

describe('a gateway and a firewall', () => {
  /** One with these rules. */
  function gateway(kind: 'nat' | 'firewall', text: string): RenderedVariant {
    const node: ChainNode = {
      kind,
      layer: 'L3',
      to: 'shop',
      hosts: [{ name: 'edge', addresses: ['198.18.0.2', '198.18.0.17', '198.18.0.18'] }],
      spec: { hosts: 1, sysctls: {}, timeouts: {} },
    };
    return { chain: { nodes: { edge: node }, traffic: TRAFFIC }, files: { edge: { [`${kind}.nft`]: text } } };
  }
  const nat = (...rules: string[]) =>
    gateway(
      'nat',
      `table ip portparty_nat {\n  chain translate {\n    type nat hook postrouting priority srcnat; policy accept;\n${rules.map((rule) => `    oifname "back0" ip protocol tcp ${rule}\n`).join('')}  }\n}\ntable ip portparty_observe {\n  set forwarded {\n    size 9\n  }\n}\n`,
    );

  it('are exported as a whole, with the reader’s own interface and addresses set at one place', () => {
    const files = exported(
      nat('snat to 198.18.0.17:1024-2047'),
      nat('ip saddr 198.18.0.3 snat to 198.18.0.18:1024-4095 random'),
    );
    expect(body(files.get('nat-edge.nft'))).toBe(`define outside = "eth0"  # your interface towards the servers
define address_1 = 198.18.0.18  # the testbed's address, put your own
table ip portparty_nat {}
delete table ip portparty_nat
table ip portparty_nat {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    # remove: oifname $outside ip protocol tcp snat to 198.18.0.17:1024-2047  # MEASURED, all changes together
    oifname $outside ip protocol tcp ip saddr 198.18.0.3 snat to $address_1:1024-4095 random  # MEASURED, all changes together
  }
}
`);
    expect(files.get('nat-edge.iptables.sh')).toContain(
      '\niptables -t nat -A POSTROUTING -o "$outside" -p tcp -s 198.18.0.3 -j SNAT --to-source "$address_1":1024-4095 --random  # MEASURED',
    );
  });

  it('masquerade in iptables as well', () => {
    const files = exported(nat('snat to 198.18.0.17:1024-2047'), nat('masquerade to :1024-2047 fully-random'));
    expect(files.get('nat-edge.iptables.sh')).toContain(
      '-p tcp -j MASQUERADE --to-ports 1024-2047 --random-fully  # MEASURED',
    );
  });

  it('show none of the sets and rules that only note SYNs, and say that there is no iptables form of a firewall', () => {
    const firewall = (verdict: string) =>
      gateway(
        'firewall',
        `table ip portparty_firewall {\n  set rule_0 {\n    typeof ip saddr . tcp sequence\n    flags dynamic\n    size 200000\n  }\n  chain refuse_rule_0 {\n    tcp flags & (syn | ack) == syn add @rule_0 { ip saddr . tcp sequence }\n    ${verdict}\n  }\n}\n`,
      );
    const files = exported(firewall('drop'), firewall('reject'));
    expect([...files.keys()]).toEqual(['README.md', 'firewall-edge.nft']);
    expect(files.get('firewall-edge.nft')).toContain('# There is no iptables form of it');
    expect(body(files.get('firewall-edge.nft'))).toBe(`table ip portparty_firewall {}
delete table ip portparty_firewall
table ip portparty_firewall {
  chain refuse_rule_0 {
    # remove: drop  # MEASURED, all changes together
    reject  # MEASURED, all changes together
  }
}
`);
  });
});

describe('README.md', () => {
  it('has every setting that differs, as a scenario file writes it, and why it has no line', () => {
    const base = proxy('nginx', 'nginx.conf', '');
    const variant = proxy('nginx', 'nginx.conf', '', { spec: { hosts: 2 }, servers: ['198.18.0.18', '198.18.0.19'] });
    variant.chain.nodes.shop.spec.serviceTime = 40;
    variant.chain.traffic = { ...TRAFFIC, timeout: { connectMs: 3000, responseMs: 1500 } };
    const notes = exported(base, variant).get('README.md');
    expect(notes).toContain('| balancer | `hosts` | 1 | 2 | none: it is a number of machines |\n');
    expect(notes).toContain("| shop | `serviceTime` | default | 40ms | none: it is the application's own setting |\n");
    expect(notes).toContain(
      "| traffic | `timeout` | default | { connect: 3s, response: 1500ms } | none: it is the clients' own behaviour |\n",
    );
    expect(notes).toContain('None: nothing that changed is a line');
  });

  it('does not take a configuration that the run did not keep for one that is the same', () => {
    const [base, variant] = [0, 16].map((keepalive) => proxy('nginx', 'other', '', { spec: { keepalive } }));
    expect(exported(base, variant).get('README.md')).toContain(
      '| balancer | `keepalive` | 0 | 16 | not known: the record has no configuration of it |\n',
    );
  });
});
