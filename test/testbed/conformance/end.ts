/** The end of a testbed: nothing runs on, nothing is left, and the record keeps the logs. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Way } from '../../helpers/ways.js';
import type { Bench, OpenTestbed } from '../open.js';
import { until } from './until.js';

export function endPromises(way: Way, bench: () => Bench, testbed: () => OpenTestbed): void {
  describe('at its end', () => {
    it('can still be entered from another terminal', async () => {
      const entry = await testbed().entry('shop[0]');
      // There is no terminal here.
      const [program, ...argv] = [...way.prefix, 'sh', '-c', entry.replace(' -it ', ' -i ')];
      const { stdout, stderr } = spawnSync(program, argv, { input: 'cat /proc/net/dev\n', encoding: 'utf8' });
      expect(`${stdout}${stderr}`).toMatch(way.driver === 'netns' ? /^State /m : /front0:/);
    });

    it('ends what is deaf, stopped, or has children, leaves nothing, and may be taken down twice', async () => {
      const [first, second] = ['shop[0]', 'shop[1]'].map((name) => testbed().host(name));
      const script = 'trap "" TERM; sh -c \'trap "" TERM; echo child; while :; do sleep 60; done\' & wait';
      const deaf = await first.spawn(['sh', '-c', script], { label: 'deaf' });
      const stopped = await second.spawn(['sleep', '60'], { label: 'stopped' });
      await until(async () => (await first.readFile('deaf.log')).includes('child'));
      await stopped.signal('SIGSTOP');
      expect(await deaf.running()).toBe(true);
      await testbed().down();
      expect(await deaf.exited()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await stopped.exited()).toMatchObject({ code: null, signal: expect.stringMatching(/^SIG(TERM|KILL)$/) });
      expect([await deaf.running(), await stopped.running()]).toEqual([false, false]);
      await testbed().down();
      // The kernel takes a moment to end the children that were killed with their daemon.
      await expect.poll(() => bench().left()).toEqual([]);
    });

    it('leaves the logs and the configuration of its hosts in the record', async () => {
      const small = await bench().build({
        buyers: { kind: 'client', to: 'edge' },
        edge: { kind: 'nat', to: 'shop' },
        shop: { kind: 'fixed' },
      });
      const [edge, shop] = ['edge', 'shop'].map((name) => small.host(name));
      await edge.start();
      await shop.writeFile('rendered.conf', 'a setting');
      await shop.run(['sh', '-c', 'echo a line > "$1/own.log"', 'sh', shop.logDir]);
      const daemon = await shop.spawn(['echo', 'said'], { label: 'says' });
      await daemon.exited();
      await small.down();
      expect(await edge.recorded('nat.nft')).toContain('snat to');
      expect(await shop.recorded('rendered.conf')).toBe('a setting');
      expect(await shop.recorded('own.log')).toBe('a line\n');
      expect(await shop.recorded('says.log')).toBe('said\n');
    });
  });
}
