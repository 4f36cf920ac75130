/** What goes into an image and which images go: on files and lists made by hand, without a daemon. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importClosure } from '../../src/testbed/docker/images/import-closure.js';
import { nodeModules } from '../../src/testbed/docker/images/node-modules.js';
import { oldImages } from '../../src/testbed/docker/images/old-images.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portparty-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function install(path: string, manifest: object): void {
  write(`${path}/package.json`, JSON.stringify(manifest));
}

test('a program comes with all that it imports, in every way of importing, and with nothing else', () => {
  write(
    'server/main.js',
    `import { a } from './a.js';
import {
  b,
} from '../lib/b.js';
import 'undici/lib/x.js';
import { readFileSync } from 'node:fs';
export * from '../lib/c.js';
const worker = new URL('./worker.js', import.meta.url);
const late = () => import('../lib/late.js');
export const from = 'not an import';
`,
  );
  write('server/a.js', "import koffi from 'koffi';");
  write('server/worker.js', "import '@scope/name/deep';");
  write('lib/b.js', "import '../server/main.js';");
  write('lib/c.js', "const x = createRequire(import.meta.url)('required');");
  write('lib/late.js', '');
  write('lib/unused.js', "import 'unused';");
  const { files, packages } = importClosure(folder, ['server/main.js']);
  expect([...files.keys()].sort()).toEqual(
    ['lib/b.js', 'lib/c.js', 'lib/late.js', 'server/a.js', 'server/main.js', 'server/worker.js'].sort(),
  );
  expect([...packages].sort()).toEqual(['@scope/name', 'koffi', 'required', 'undici']);
});

test('a file that has not been built is named', () => {
  expect(() => importClosure(folder, ['agent/main.js'])).toThrow(/cannot read dist\/agent\/main.js/);
});

describe('packages', () => {
  const pathsOf = (names: string[], cpu = 'x64') =>
    Object.fromEntries(nodeModules(folder, names, cpu).placed.map(({ path, version }) => [path, version]));

  test('come with their dependencies; two versions of one lie where each is found by its own', () => {
    install('node_modules/a', { version: '1.0.0', dependencies: { shared: '^2' } });
    install('node_modules/b', { version: '1.0.0', dependencies: { shared: '^1' } });
    install('node_modules/shared', { version: '2.0.0' });
    install('node_modules/b/node_modules/shared', { version: '1.0.0', dependencies: { a: '*' } });
    expect(pathsOf(['a', 'b'])).toEqual({
      'node_modules/a': '1.0.0',
      'node_modules/b': '1.0.0',
      'node_modules/shared': '2.0.0',
      'node_modules/b/node_modules/shared': '1.0.0',
    });
  });

  test('are found where pnpm puts them: behind links', () => {
    install('store/a@1/node_modules/a', { version: '1.0.0', dependencies: { inner: '*' } });
    install('store/inner@3/node_modules/inner', { version: '3.0.0' });
    symlinkSync(join(folder, 'store/inner@3/node_modules/inner'), join(folder, 'store/a@1/node_modules/inner'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(folder, 'store/a@1/node_modules/a'), join(folder, 'node_modules/a'));
    expect(pathsOf(['a'])).toEqual({ 'node_modules/a': '1.0.0', 'node_modules/inner': '3.0.0' });
  });

  test('native code is that of the daemon`s processor; what is not installed here is asked for', () => {
    const optionalDependencies = {
      '@x/lib-linux-x64': '1.2.3',
      '@x/lib-linux-arm64': '1.2.3',
      '@x/lib-darwin-x64': '1.2.3',
    };
    install('node_modules/lib', { version: '1.2.3', optionalDependencies });
    install('node_modules/@x/lib-linux-x64', { version: '1.2.3', os: ['linux'], cpu: ['x64'] });
    install('node_modules/@x/lib-darwin-x64', { version: '1.2.3', os: ['darwin'], cpu: ['x64'] });
    expect(pathsOf(['lib'])).toEqual({ 'node_modules/lib': '1.2.3', 'node_modules/@x/lib-linux-x64': '1.2.3' });
    const elsewhere = nodeModules(folder, ['lib'], 'arm64');
    expect(elsewhere.placed.map(({ path }) => path)).toEqual(['node_modules/lib']);
    expect(elsewhere.missing).toEqual(['@x/lib-linux-arm64@1.2.3']);
  });

  test('one that is missing is named', () => {
    expect(() => nodeModules(folder, ['gone'], 'x64')).toThrow('the package gone is not installed');
  });
});

describe('old images', () => {
  const hash = (digit: number) => `portparty/nginx:${String(digit).repeat(12)}`;
  const image = (created: number, ...tags: string[]) => ({ id: `${created}`, tags, created });

  test('go but for the two newest', () => {
    const images = [1, 2, 3, 4, 5].map((digit) => image(digit, hash(digit)));
    expect(oldImages(images, hash(5), 10_000)).toEqual([hash(2), hash(1)]);
  });

  test('stay while they are young: a run may be about to use them', () => {
    const images = [1, 2, 3, 4, 5].map((digit) => image(digit, hash(digit)));
    expect(oldImages(images, hash(5), 100)).toEqual([]);
  });

  test('of another name, or with a name by hand, are none of our business', () => {
    const others = [
      'portparty/nginx:latest',
      'portparty/nginx2:111111111111',
      'own/nginx:111111111111',
      '<none>:<none>',
    ];
    const images = [...others.map((tag) => image(1, tag)), ...[2, 3, 4].map((digit) => image(digit, hash(digit)))];
    expect(oldImages(images, hash(4), 10_000)).toEqual([]);
  });
});
