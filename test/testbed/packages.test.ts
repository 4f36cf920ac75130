import { describe, expect, it } from 'vitest';
import { installLine } from '../../src/testbed/netns/packages.js';

const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
const only = (manager: string) => (command: string) => command === manager;

describe('the line that installs what is missing', () => {
  it('names each package once', () => {
    expect(installLine(['iproute2', 'iproute2', 'nginx-light'], only('apt-get'), true)).toBe(
      `${sudo}apt-get install -y --no-install-recommends iproute2 nginx-light`,
    );
  });

  it('fetches the lists of packages first where there are none', () => {
    expect(installLine(['iproute2'], only('apt-get'), false)).toBe(
      `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends iproute2`,
    );
  });

  it("uses the other distributions' names", () => {
    expect(installLine(['iproute2', 'conntrack', 'nginx-light'], only('dnf'))).toBe(
      `${sudo}dnf install -y iproute iproute-tc conntrack-tools nginx`,
    );
  });

  it('is absent where no package manager is known', () => {
    expect(installLine(['iproute2'], () => false)).toBeUndefined();
  });
});
