/** Words of a command to paste: a real shell reads them back as they were. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../../src/report/shell-word.js';

it.each([
  'scenarios/ticket-sale.yaml',
  'topology.edge.ports=1024-65535',
  'my scenarios/sale.yaml',
  "it's $HOME",
  'a;b|c&d>e`f`"g"\\h*i~j#k!l{m,n}(o)',
  'two\nlines',
  '',
])('%j', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })).toBe(text);
});

it('leaves plain words alone', () => {
  for (const text of ['scenarios/sale.yaml', 'edge.ports=20000-20499', 'latency<1'])
    expect(shellWord(text)).toBe(text.includes('<') ? `'${text}'` : text);
});
