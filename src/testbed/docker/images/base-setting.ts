/** `PORTPARTY_BASE_IMAGES`: where the images that ours are built on come from. */
import { usageError } from '../../../errors.js';

/** The environment variable's name. */
export const BASE_SETTING = 'PORTPARTY_BASE_IMAGES';

/**
 * `registry`: Docker's official ones. `local`: made on this machine from the distribution's packages. `auto`: what is there
 * already, else a registry, else made here.
 */
export type BaseSetting = 'auto' | 'registry' | 'local';

/** Reads the setting, `auto` when it is not set. Throws a PortPartyError (exit 2) for anything else. */
export function baseSetting(): BaseSetting {
  const value = process.env[BASE_SETTING] || 'auto';
  if (value === 'auto' || value === 'registry' || value === 'local') return value;
  throw usageError('expected auto, registry or local', `${BASE_SETTING}=${value}`);
}
