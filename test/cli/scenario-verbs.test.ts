import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as init from '../../src/cli/init.js';
import * as list from '../../src/cli/list.js';
import { readyScenarios } from '../../src/cli/ready-scenarios.js';
import * as schema from '../../src/cli/schema.js';
import { loadScenario } from '../../src/run/load-scenario.js';
import { starterScenario } from '../../src/scenario/starter.js';

let home: string;
let folder: string;

beforeEach(() => {
  home = process.cwd();
  folder = mkdtempSync(join(tmpdir(), 'verbs-'));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** Runs a command line in this process; returns its stdout. */
async function portparty(...argv: string[]): Promise<string> {
  const root = new Command('portparty');
  for (const verb of [list, init, schema]) verb.register(root);
  let output = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  try {
    await root.parseAsync(argv, { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return output;
}

describe('init', () => {
  test('writes a scenario that loads, and says what to type next', async () => {
    expect(await portparty('init', 'spring-sale')).toBe(
      'Wrote spring-sale.yaml. Run it:\n  portparty run spring-sale.yaml\n',
    );
    expect((await loadScenario('spring-sale.yaml')).name).toBe('spring-sale');
  });

  test('has a name of its own for those who give none', async () => {
    await portparty('init');
    expect((await loadScenario('my-sale.yaml')).name).toBe('my-sale');
  });

  test('never overwrites', async () => {
    writeFileSync('mine.yaml', 'precious');
    await expect(portparty('init', 'mine')).rejects.toMatchObject({ where: 'mine.yaml', exitCode: 2 });
    expect(readFileSync('mine.yaml', 'utf8')).toBe('precious');
  });

  test('writes nowhere else', async () => {
    await expect(portparty('init', '../mine')).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('list', () => {
  test('shows every ready scenario with its variants, and the line that runs it', async () => {
    const text = await portparty('list');
    const scenarios = await readyScenarios();
    expect(scenarios.length).toBeGreaterThan(0);
    for (const { name, variants } of scenarios) {
      expect(text).toContain(name);
      for (const variant of variants) expect(text).toContain(variant.name);
    }
  });

  test('--json has names, files that can be loaded from here, descriptions and variants', async () => {
    const entries: { name: string; file: string; description: string; variants: string[] }[] = JSON.parse(
      await portparty('list', '--json'),
    );
    for (const entry of entries) {
      const { name, description, variants } = await loadScenario(entry.file);
      expect(entry).toMatchObject({ name, description, variants: variants.map((variant) => variant.name) });
    }
  });

  test('reads a folder in the order of its file names, and an absent one as empty', async () => {
    writeFileSync('b.yaml', starterScenario('first'));
    writeFileSync('a.yml', starterScenario('second'));
    writeFileSync('notes.txt', 'no scenario');
    expect((await readyScenarios(folder)).map(({ name }) => name)).toEqual(['second', 'first']);
    expect(await readyScenarios(join(folder, 'none'))).toEqual([]);
  });
});

test('schema prints JSON Schema and nothing else', async () => {
  expect(JSON.parse(await portparty('schema'))).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    required: ['name', 'topology', 'traffic'],
  });
});
