/** Commands on a host run to their end, with their input, their outputs, and their failure. */
import { describe, expect, it } from 'vitest';
import type { Way } from '../../helpers/ways.js';
import type { OpenTestbed } from '../open.js';

export function commandPromises({ driver }: Way, testbed: () => OpenTestbed): void {
  // Of every image of ours: client, gateway, server.
  const hosts = ['buyers[0]', 'edge', 'shop[0]'];
  const run = (argv: string[], input?: string) => testbed().host('shop[0]').run(argv, { input });

  describe('a command', () => {
    it.each(hosts)('gets its input, and its outputs come back apart, on %s', async (name) => {
      const argv = ['sh', '-c', 'cat; echo aside >&2'];
      const result = await testbed().host(name).run(argv, { input: 'hello' });
      expect(result).toEqual({ stdout: 'hello', stderr: 'aside\n' });
    });

    it('has an empty input when it is given none', async () => {
      expect((await run(['cat'])).stdout).toBe('');
    });

    it('gets and gives much text whole, whatever its bytes', async () => {
      const text = 'Grüße, 世界\n'.repeat(100_000);
      expect((await run(['cat'], text)).stdout).toBe(text);
    });

    it('need not read its input', async () => {
      expect(await run(['true'], 'x'.repeat(1_000_000))).toEqual({ stdout: '', stderr: '' });
    });

    it('gets its arguments as they are', async () => {
      const argv = ['printf', '%s|', 'a b', '$HOME', '"', '*', ''];
      expect((await run(argv)).stdout).toBe('a b|$HOME|"|*||');
    });

    it('is not held up by others at the same time', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, (_, n) => run(['echo', String(n)])));
      expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 20 }, (_, n) => n));
    });

    it.each(hosts)('that fails names %s, itself and what it said', async (name) => {
      const argv = ['sh', '-c', 'echo no luck >&2; exit 3'];
      const failure = { where: name, exitCode: 3, message: expect.stringMatching(/sh -c .*\n?.*failed: no luck/) };
      await expect(testbed().host(name).run(argv)).rejects.toMatchObject(failure);
    });

    it('that fails without a word names its exit code', async () => {
      await expect(run(['sh', '-c', 'exit 42'])).rejects.toMatchObject({ message: expect.stringContaining('42') });
    });

    it('that is killed has failed', async () => {
      await expect(run(['sh', '-c', 'kill -9 $$'])).rejects.toMatchObject({ where: 'shop[0]', exitCode: 3 });
    });

    it.each(hosts)('that is missing on %s is told as missing, with the remedy', async (name) => {
      const hint = expect.stringContaining(driver === 'netns' ? 'portparty doctor --fix' : 'image');
      const failure = { where: name, exitCode: 3, hint };
      const message = expect.stringContaining('the command no-such-program is missing');
      await expect(testbed().host(name).run(['no-such-program'])).rejects.toMatchObject({ ...failure, message });
    });
  });
}
