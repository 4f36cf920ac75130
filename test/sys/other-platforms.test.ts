/** The harness on a machine that is no Linux: it loads, and says so where it would have to call the kernel itself. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('the parts that drive agents load on macOS', () => {
  const program = `
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    await import('./dist/run/trial.js');
    await import('./dist/traffic/engines.js');
    const { socket } = await import('./dist/sys/libc.js');
    try { socket(2, 1, 0); } catch (error) { console.log(error.exitCode, error.message); }`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(said.trim()).toBe('3 darwin has no Linux system calls');
});
