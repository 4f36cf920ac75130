/** Whose things on a daemon are left over, by the owner that is written on them. */
import { describe, expect, it } from 'vitest';
import { ownerState, ownOwner } from '../../src/testbed/docker/owner.js';

const [where, pid, start] = ownOwner().split('/');
const [machine, boot, namespace] = where.split('.');
const OTHER_BOOT = '00000000-0000-4000-8000-000000000000';

describe('a thing on the daemon', () => {
  it('of a process that runs is in use', () => {
    expect(ownerState(ownOwner())).toBe('running');
  });

  it('of a process whose number was given away again is left over', () => {
    expect(ownerState(`${where}/${pid}/${Number(start) + 1}`)).toBe('gone');
  });

  it('of another machine, or of another container on this one, is not ours to judge', () => {
    expect(ownerState(`0123456789ab.${OTHER_BOOT}.${namespace}/${pid}/${start}`)).toBe('elsewhere');
    expect(ownerState(`${machine}.${boot}.1/${pid}/${start}`)).toBe('elsewhere');
    expect(ownerState('somebody else')).toBe('elsewhere');
  });

  it.skipIf(machine === '')('of before a restart of this machine is left over', () => {
    expect(ownerState(`${machine}.${OTHER_BOOT}.${namespace}/${pid}/${start}`)).toBe('gone');
  });

  it('is never taken for one of before a restart where nothing tells machines apart', () => {
    expect(ownerState(`.${OTHER_BOOT}.${namespace}/${pid}/${start}`)).toBe('elsewhere');
  });
});
