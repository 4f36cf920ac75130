import { describe, expect, it } from 'vitest';
import { canIsolate, explain } from '../../src/testbed/netns/can-isolate.js';

const machine = (files: Record<string, string>) => (path: string) => files[path] ?? '';
const asRoot = process.getuid?.() === 0;

describe('the reason why namespaces are refused', () => {
  it.each([
    ['kernel.unprivileged_userns_clone', '0', '1'],
    ['user.max_user_namespaces', '0', '15000'],
    ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
  ])('is %s when it says so, with the line that lifts it', (name, value, lifted) => {
    const file = `/proc/sys/${name.replaceAll('.', '/')}`;
    const { reason, waysOut } = explain('Operation not permitted', machine({ [file]: `${value}\n` }));
    expect(reason).toContain(`${name}=${value}`);
    expect(waysOut[0]).toBe(`sudo sysctl -w ${name}=${lifted}`);
  });

  it("is a container's filter where there is one", () => {
    const { reason, waysOut } = explain(
      'unshare failed',
      machine({ '/proc/self/status': 'Name:\tnode\nSeccomp:\t2\n' }),
    );
    expect(reason).toContain('seccomp');
    expect(reason).toContain('unshare failed');
    expect(waysOut.join(' ')).toContain('--privileged');
  });

  it("is otherwise told in the refusing program's own words", () => {
    const { reason, waysOut } = explain('unshare: Operation not permitted', machine({}));
    expect(reason).toContain('unshare: Operation not permitted');
    expect(waysOut).toEqual([asRoot ? 'run it on another machine or in a virtual machine' : 'run it with sudo']);
  });

  it('does not come up on a machine that runs these tests', async () => {
    expect(await canIsolate()).toMatchObject({ ok: true });
  });
});
