/** How haproxy's try to reach a backend ended, by the letters and numbers of its log. */
import type { UpstreamResult } from '../kind.js';
import type { RequestLine } from './logs.js';

/** Numbers of `bc_err` (configuration manual, table of `fc_err_str`). */
const BY_ERROR: Record<string, UpstreamResult> = {
  1: 'file-limit',
  2: 'file-limit',
  3: 'file-limit',
  7: 'no-local-port',
  9: 'no-local-port',
  10: 'no-local-port',
};

/** The first two letters of the termination state (configuration manual 8.5) to the result. */
const BY_STATE: Record<string, UpstreamResult> = {
  // The backend's host refused, or there was no way to it: haproxy keeps no errno.
  SC: 'refused',
  sC: 'connect-timeout',
  CC: 'connect-timeout',
  cC: 'connect-timeout',
  sQ: 'queue-timeout',
  CQ: 'queue-timeout',
  SH: 'reset',
  SD: 'reset',
  DC: 'reset',
  DH: 'reset',
  DD: 'reset',
  sH: 'response-timeout',
  sD: 'response-timeout',
  CH: 'response-timeout',
  cH: 'response-timeout',
  PC: 'file-limit',
};

/** How the last try ended; undefined where haproxy itself answered and wanted no backend. */
export function tryResult({
  state,
  server,
  error,
  status,
  connect,
  response,
}: RequestLine): UpstreamResult | undefined {
  const code = state.slice(0, 2);
  const chosen = !server.endsWith('/<NOSRV>');
  if (Object.hasOwn(BY_ERROR, error)) return BY_ERROR[error];
  // Cut off at the end of the run, after its client had given up. haproxy may leave out how far it was; the timers tell.
  if (code.startsWith('K')) return connect >= 0 ? 'response-timeout' : chosen ? 'connect-timeout' : 'queue-timeout';
  if (!chosen) {
    if (code === 'SC') return 'no-live-backend';
    return /[QC]$/.test(code) ? BY_STATE[code] : undefined;
  }
  // The client left in the middle of its answer.
  if (code === '--' || (/^[Cc]/.test(code) && response >= 0 && status > 0)) return 'answered';
  return BY_STATE[code] ?? 'failed';
}
