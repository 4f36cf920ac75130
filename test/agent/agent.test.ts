/** What an agent does when it is asked, and what is heard of it when it dies. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { connectAgent } from '../../src/agent/connect.js';
import { readFrames, writeFrame } from '../../src/agent/frames.js';
import { ExitCode } from '../../src/errors.js';
import { spawnAgent } from './spawn-agent.js';

describe('frames', () => {
  it('bring every value whole, however the stream cuts them', () => {
    const written = new PassThrough();
    const values = [
      { times: Float64Array.of(1.5, Number.NaN), shared: new Int32Array(new SharedArrayBuffer(8)) },
      { big: 2n ** 63n, none: undefined, set: new Set(['a:1']) },
      new Uint8Array(20_000).fill(7),
    ];
    for (const value of values) writeFrame(written, value);
    const bytes = written.read() as Buffer;
    for (const size of [1, 7, 4096, bytes.length]) {
      const stream = new PassThrough();
      const seen: unknown[] = [];
      readFrames(
        stream,
        (value) => seen.push(value),
        (text) => expect.unreachable(text),
      );
      for (let at = 0; at < bytes.length; at += size) stream.emit('data', bytes.subarray(at, at + size));
      expect(seen).toEqual([{ ...values[0], shared: new Int32Array(2) }, ...values.slice(1)]);
    }
  });
});

describe('an agent', () => {
  it('runs commands with input, and tells their ends apart', async () => {
    const { agent } = await spawnAgent('edge');
    expect(await agent.run(['cat'], { input: 'grüße' })).toEqual({ code: 0, stdout: 'grüße', stderr: '' });
    expect(await agent.run(['sh', '-c', 'echo no >&2; exit 3'])).toEqual({ code: 3, stdout: '', stderr: 'no\n' });
    expect((await agent.run(['sh', '-c', 'kill -9 $$'])).code).toBe(137);
    await expect(agent.run(['no-such-program'])).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('reads settings and files; refusals carry their errno', async () => {
    const { agent } = await spawnAgent('edge');
    expect(await agent.sysctl('net.ipv4.ip_local_port_range')).toMatch(/^\d+\s+\d+$/);
    expect(await agent.readProc('/proc/self/status')).toContain('Name:');
    await expect(agent.sysctl('net.ipv4.no_such_setting')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(agent.setSysctl('net.ipv4.no_such_setting', '1')).rejects.toMatchObject({
      code: expect.stringMatching(/ENOENT|EACCES/),
    });
  });

  it('tells its clocks', async () => {
    const { agent } = await spawnAgent('edge');
    const before = process.hrtime.bigint();
    const { monotonicNs } = await agent.clock();
    expect(monotonicNs).toBeGreaterThan(before);
    expect(monotonicNs).toBeLessThan(process.hrtime.bigint());
  });

  it('ends at once when nobody is left to talk to', async () => {
    const { agent, child } = await spawnAgent('edge');
    const running = agent.run(['sleep', '60']).catch((error: Error) => error);
    await agent.close();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(await running).toBeInstanceOf(Error);
  });

  it('that is killed fails what was asked of it, by the name of its host', async () => {
    const { agent, child } = await spawnAgent('shop[1]');
    const running = agent.run(['sleep', '60']);
    child.kill('SIGKILL');
    await expect(running).rejects.toMatchObject({ exitCode: ExitCode.testbed, where: 'shop[1]' });
    expect(await agent.closed).toBe('it said nothing');
    await expect(agent.clock()).rejects.toMatchObject({ exitCode: ExitCode.testbed, where: 'shop[1]' });
  });

  it('that cannot start is told with its own words', async () => {
    const start = spawnAgent('edge', ['-e', 'throw new RangeError("out of luck")']);
    await expect(start).rejects.toMatchObject({
      exitCode: ExitCode.testbed,
      message: 'the agent of edge did not start: RangeError: out of luck',
    });
  });

  it('that is another program is told as such', async () => {
    const output = new PassThrough();
    const connecting = connectAgent(output, new PassThrough(), 'edge');
    output.write('sh: node: not found\n');
    await expect(connecting).rejects.toThrow("it says what is no agent's: sh: node: not found");
  });
});
