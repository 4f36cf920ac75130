import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesLeftIn, findLeftovers } from '../../src/testbed/netns/leftovers.js';
import { runners, sceneCommand } from './scene.js';

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), 'portparty-test-'));
});
afterEach(() => rmSync(results, { recursive: true }));

describe('what runs leave over', () => {
  it.each(runners())('is never a run that is under way, by $who', async (runner) => {
    const [program, ...argv] = sceneCommand(runner, 'stay', null);
    const outer = spawn(program, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await new Promise((resolve) => outer.stdout!.once('data', resolve));
      mkdirSync(join(results, 'just-begun'));
      const { found, underWay } = findLeftovers(results);
      expect(underWay.length).toBeGreaterThan(0);
      expect(found).toEqual([]);
    } finally {
      outer.kill('SIGINT');
      await new Promise((resolve) => outer.once('exit', resolve));
    }
  });

  it('are links to nowhere, half-written files and runs without a record; finished runs are kept', () => {
    const run = join(results, '20261124T195039Z-sale-abcd');
    mkdirSync(run);
    writeFileSync(join(run, 'run.json'), '{}');
    writeFileSync(join(run, '.run.json.new'), '{');
    mkdirSync(join(results, 'empty'));
    symlinkSync('gone', join(results, 'latest'));
    const found = filesLeftIn(results);
    expect(found.map(({ what, name }) => [what, name.slice(results.length + 1)]).sort()).toEqual([
      ['file', '20261124T195039Z-sale-abcd/.run.json.new'],
      ['folder', 'empty'],
      ['link', 'latest'],
    ]);
    for (const one of found) one.remove();
    expect(readdirSync(results)).toEqual(['20261124T195039Z-sale-abcd']);
    expect(readdirSync(run)).toEqual(['run.json']);
  });

  it('leave a link to a run that is there alone', () => {
    mkdirSync(join(results, 'run'));
    writeFileSync(join(results, 'run', 'run.json'), '{}');
    symlinkSync('run', join(results, 'latest'));
    expect(filesLeftIn(results)).toEqual([]);
    expect(existsSync(join(results, 'latest'))).toBe(true);
  });

  it('are none where there is no folder of results', () => {
    expect(filesLeftIn(join(results, 'nowhere'))).toEqual([]);
  });
});
