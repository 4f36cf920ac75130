/** Answers as HAProxy 2.6 gave them. */
import { describe, expect, it } from 'vitest';
import { readProcesses, readRequests } from '../../../src/nodes/haproxy/processes.js';

const heading = '#<PID>          <type>          <reloads>       <uptime>        <version>      \n';
const line = (pid: number, type: string, reloads: string) =>
  `${pid}            ${type}          ${reloads}               0d00h00m03s     2.6.12-1+deb12u4\n`;

describe("what haproxy's master says of its processes", () => {
  it('tells the worker that serves from those that finish', () => {
    const text = `${heading}${line(46, 'master', '2 [failed: 0]')}# workers\n${line(99, 'worker', '0')}# old workers\n${line(83, 'worker', '1')}${line(52, 'worker', '2')}# programs\n\n`;
    expect(readProcesses(text)).toEqual({ master: 46, reloads: 2, failed: 0, current: 99, former: [83, 52] });
  });

  it('tells of a reload that failed, after which the worker before it goes on', () => {
    const text = `${heading}${line(46, 'master', '1 [failed: 1]')}# workers\n# old workers\n${line(52, 'worker', '1')}# programs\n\n`;
    expect(readProcesses(text)).toEqual({ master: 46, reloads: 1, failed: 1, current: undefined, former: [52] });
  });

  it('is not taken for an answer when it is none', () => {
    expect(() => readProcesses('')).toThrow('did not tell of its processes');
  });
});

it('who asks for the requests under way is none of them', () => {
  const open = `0x55be7bdc4ea0: proto=tcpv4 src=127.0.0.1:60416 fe=entry be=b srv=s0 ts=00 epoch=0 age=1s calls=2
0x55be7bec61b0: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=1
`;
  expect(readRequests(open)).toEqual(['0x55be7bdc4ea0']);
});
