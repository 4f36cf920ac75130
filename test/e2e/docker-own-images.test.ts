/** Images of the user's own behind the same burst: their proxy unchanged or with its file, their service in any language, and the mistakes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { dockerMissing, namesOf } from '../helpers/docker.js';
import { ownImage } from '../helpers/own-image.js';
import { finished, losses, scenarioFile, scratch, start } from '../helpers/portparty.js';

const missing = await dockerMissing();

const NGINX = `
FROM plain
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light
COPY nginx.conf /etc/nginx/nginx.conf
CMD ["nginx", "-g", "daemon off;"]
`;
/** As a user would have it: backends by name, logs on the outputs, workers of another user. */
const NGINX_CONF = `
user www-data;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log /dev/stdout;
  error_log /dev/stderr;
  server { listen 80; location / { proxy_pass http://shop:8080; } }
}
`;
const NGINX_CONF_WITH_PLACEHOLDERS = `
user www-data;
events { worker_connections 4096; }
http {
  upstream shop { {{backends}} }
  server { listen {{listen}}; location / { proxy_pass http://shop; } }
}
`;

const NODE_SHOP = `
FROM node
COPY shop.js /shop.js
USER 1234
CMD ["node", "/shop.js"]
`;
/** Not healthy at once: its cache is cold. */
const SHOP_JS = `
const from = Date.now() + 500;
require('node:http').createServer((request, response) => {
  response.statusCode = request.url === '/health' && Date.now() < from ? 503 : 200;
  response.end('a ticket');
}).listen({ port: 3000, backlog: 1024 });
`;

const PERL_SHOP = `
FROM plain
COPY shop.pl /shop.pl
ENTRYPOINT ["perl", "/shop.pl"]
`;
const SHOP_PL = `
use IO::Socket::INET;
$| = 1;
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 1024, ReuseAddr => 1) or die $!;
print "tickets, please\\n";
while (my $visitor = $server->accept) {
  while (my $line = <$visitor>) { last if $line eq "\\r\\n"; }
  print $visitor "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok";
  close $visitor;
}
`;

const BURST = `
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 200/s }]
  process: uniform
  maxLateness: 10s
`;

/** Runs a scenario on the docker driver; whatever comes of it, nothing is left on the daemon. */
async function runOwn(text: string, files: Record<string, string> = {}) {
  const folder = scratch();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const file = scenarioFile(folder, `name: own\n${text}`);
  const child = start(['run', file, '--out', join(folder, 'results'), '--json', '--driver', 'docker'], { cwd: folder });
  const { code, stdout, stderr } = await finished(child);
  expect(await namesOf(child.pid!)).toEqual([]);
  const record = stdout.startsWith('{') ? (JSON.parse(stdout) as RunRecord) : undefined;
  return { code, stderr, variant: record?.variants[0] };
}

describe.skipIf(missing !== undefined)(`images of the user's own${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let images: Record<'nginx' | 'node' | 'perl' | 'ends' | 'deaf', string>;
  beforeAll(async () => {
    images = {
      nginx: await ownImage('nginx', NGINX, { 'nginx.conf': NGINX_CONF }),
      node: await ownImage('node-shop', NODE_SHOP, { 'shop.js': SHOP_JS }),
      perl: await ownImage('perl-shop', PERL_SHOP, { 'shop.pl': SHOP_PL }),
      ends: await ownImage('ends', 'FROM plain\nCMD ["sh", "-c", "echo no licence found >&2; exit 9"]\n'),
      deaf: await ownImage('deaf', 'FROM plain\nCMD ["sh", "-c", "echo warming up; exec sleep 1000"]\n'),
    };
  }, 300_000);

  it('run an NGINX as it was built, with backends by their names, and say that attribution is reduced', async () => {
    const { code, stderr, variant } = await runOwn(`
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, image: '${images.nginx}', to: shop }
  shop: { kind: fixed, hosts: 2 }
${BURST}`);
    expect(code).toBe(0);
    expect(variant!.requests).toMatchObject({ due: 100, completed: 100 });
    expect(stderr).toMatch(/balancer: .*logs as it was built/);
  });

  it('run an NGINX with a file of the user`s, with the same ledger as the package`s', async () => {
    const { code, stderr, variant } = await runOwn(
      `
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, image: '${images.nginx}', config: mine.conf, ports: 30000-30199, to: shop }
  shop: { kind: fixed, serviceTime: 3s }
${BURST.replace('200/s', '600/s')}`,
      { 'mine.conf': NGINX_CONF_WITH_PLACEHOLDERS },
    );
    expect(code).toBe(0);
    expect(losses(variant!)).toEqual({ 'ports-exhausted@balancer': 100 });
    expect(stderr).not.toContain('as it was built');
  });

  it('run a service with a port of its own as soon as it is healthy', async () => {
    const { code, variant } = await runOwn(`
topology:
  buyers: { kind: client, hosts: 2, to: edge }
  edge: { kind: nat, ports: 20000-20063, to: shop }
  shop: { kind: fixed, image: '${images.node}', port: 3000, ready: /health }
traffic:
  from: buyers
  journey: hold
  holdFor: 5s
  arrivals: [{ for: 500ms, rate: 200/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 3s, response: 5s }
`);
    expect(code).toBe(0);
    expect(losses(variant!)).toEqual({ 'ports-exhausted@edge': 36 });
  });

  it('run a service of another language, behind a proxy of ours, several hosts of it', async () => {
    const { code, variant } = await runOwn(`
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed, hosts: 2, image: '${images.perl}', ready: 'log: tickets, please' }
${BURST}`);
    expect(code).toBe(0);
    expect(variant!.requests).toMatchObject({ due: 100, completed: 100 });
  });

  it('that are not there are told before anything is built, with the way to have them', async () => {
    const { code, stderr } = await runOwn(`
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed, image: 'portparty-test/not-built:1' }
${BURST}`);
    expect(code).toBe(3);
    expect(stderr).toContain('topology.shop.image');
    expect(stderr).toContain('docker build -t portparty-test/not-built:1');
  });

  it('that end at once are told with their last words', async () => {
    const { code, stderr } = await runOwn(`
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed, image: '${images.ends}' }
${BURST}`);
    expect(code).toBe(3);
    expect(stderr).toMatch(/shop: portparty-test\/ends:latest ended at its start: no licence found/);
  });

  it('that never get ready are told with what was waited for', async () => {
    const { code, stderr } = await runOwn(`
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed, image: '${images.deaf}', port: 3000, readyWithin: 1s }
${BURST}`);
    expect(code).toBe(3);
    expect(stderr).toMatch(/shop: portparty-test\/deaf:latest is not ready after 1 s \(ready: port\): warming up/);
    expect(stderr).toContain('port 3000');
  });
});

it('an image needs the docker driver: with netns it is a mistake, told before anything is started', async () => {
  const folder = scratch();
  const file = scenarioFile(
    folder,
    `name: own\ntopology:\n  buyers: { kind: client, to: shop }\n  shop: { kind: fixed, image: mine }\n${BURST}`,
  );
  const { code, stderr } = await finished(start(['run', file, '--driver', 'netns'], { cwd: folder }));
  expect(code).toBe(2);
  expect(stderr).toContain('topology.shop.image');
  expect(stderr).toContain('--driver docker');
});
