/** The workflow, the job and the action that users copy: they are YAML, their shell is shell, and the command line knows all that they ask of it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { portparty } from '../helpers/portparty.js';

const FILES = ['action.yml', 'docs/ci/github-actions.yml', 'docs/ci/gitlab-ci.yml'] as const;

interface Step {
  name?: string;
  run?: string;
  uses?: string;
  shell?: string;
  env?: Record<string, string>;
}

const textOf = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

/** The shell text of a file's steps, one entry per step. */
function scriptsOf(file: (typeof FILES)[number]): string[] {
  const value = parse(textOf(file));
  if (file === 'docs/ci/gitlab-ci.yml')
    return [[...value.portparty.before_script, ...value.portparty.script].join('\n')];
  const steps: Step[] = file === 'action.yml' ? value.runs.steps : value.jobs.gate.steps;
  return steps.flatMap(({ run }) => run ?? []);
}

describe.each(FILES)('%s', (file) => {
  it('has shell steps that bash can read', () => {
    const scripts = scriptsOf(file);
    expect(scripts.join('\n')).toContain('gate latest');
    for (const script of scripts)
      expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('uses options that the command line has', async () => {
    const options = new Set(
      scriptsOf(file)
        .join('\n')
        .match(/(?<= |\(|=)--[a-z-]+/g),
    );
    const help = await Promise.all(['run', 'gate', 'doctor'].map((verb) => portparty([verb, '--help'])));
    const known = help.map(({ stdout }) => stdout).join('\n');
    expect(options.size).toBeGreaterThan(3);
    for (const option of options) expect(known).toContain(option);
  });

  it('names no host', () => {
    expect(textOf(file)).not.toMatch(/https?:|registry|\b[a-z0-9-]+\.(com|io|org|net)\b/);
  });
});

describe('the action', () => {
  const action = parse(textOf('action.yml'));
  const steps: Step[] = action.runs.steps;

  it('hands every input to a step, and none into the text of a script', () => {
    expect(action.runs.using).toBe('composite');
    const handed = JSON.stringify(steps.map(({ run: _, ...rest }) => rest));
    for (const input of Object.keys(action.inputs)) expect(handed).toContain(`\${{ inputs.${input} }}`);
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  it('names the shell of each script, as composite actions must', () => {
    for (const step of steps) expect('run' in step).toBe(step.shell === 'bash');
  });

  it('goes on to the gates when they fail or the measurement is invalid, and ends at any other trouble', () => {
    const script = steps.find(({ name }) => name === 'Run the scenario')!.run!;
    const exits = [0, 1, 2, 3, 4, 130].map((code) => {
      const input = script.replace(/^node .*(?= \|\|)/m, `( exit ${code} )`);
      return spawnSync('bash', ['-e'], { input, env: { ...process.env, TRIALS: '' } }).status;
    });
    expect(exits).toEqual([0, 0, 2, 3, 0, 130]);
  });

  it('hands the gates over one by one, as they are written', () => {
    const script = steps.find(({ name }) => name === 'Hold the gates')!.run!;
    // Shows the command line instead of running it.
    const input = `node() { shift; printf '%s\\n' "$@"; }\n${script}`;
    const env = { ...process.env, OUT: 'out', BASELINE: '', GATES: 'dropped <= baseline\n\n  due > $(id) "0"\n' };
    const { stdout, status } = spawnSync('bash', ['-e'], { input, env, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      ...['gate', 'latest', '--out', 'out', '--junit', 'out/junit.xml'],
      ...['--gate', 'dropped <= baseline', '--gate', '  due > $(id) "0"'],
    ]);
  });
});
