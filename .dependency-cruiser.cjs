/**
 * Who may import whom. The data goes one way (docs/architecture.md), and these rules keep it so; `npm run check` enforces them.
 * Type-only imports are free: a value's shape is known by everybody on its way.
 */
const IO = '^(node:)?(fs|fs/promises|net|http|https|http2|dgram|dns|tls|child_process|worker_threads|cluster|readline)$';
const IO_PACKAGES = 'node_modules/(koffi|undici|autocannon|dockerode|testcontainers|tar-stream)/';
const PURE = '^src/(ledger|analysis|model|scenario|topology)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'pure-folders-do-no-io',
      comment: 'Reading and writing happen at the edges; what decides is tested with plain values.',
      severity: 'error',
      from: { path: PURE },
      to: { path: `${IO}|${IO_PACKAGES}`, reachable: true },
    },
    {
      name: 'only-netns-knows-netns',
      comment: 'Everybody else works with testbed/host.ts. The files beside it name the drivers, and run/ enters one.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testbed/(netns/|[^/]+$)|^src/run/(with-netns|run-with-driver)' },
      to: { path: '^src/testbed/netns/' },
    },
    {
      name: 'only-docker-knows-docker',
      comment: 'Everybody else works with testbed/host.ts. The files beside it name the drivers, and run/ opens one.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testbed/(docker/|[^/]+$)|^src/run/with-docker' },
      to: { path: '^src/testbed/docker/|node_modules/(dockerode|testcontainers|tar-stream)/' },
    },
    {
      name: 'nobody-imports-the-command-line',
      comment: 'A verb reads options, calls the library, prints. What it would share is logic, and belongs to the library.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
