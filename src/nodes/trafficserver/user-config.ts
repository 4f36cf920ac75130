/** The user's own records.config made fit for the testbed: the placeholder filled, our logs added, what belongs to the machine left out. */
import type { Endpoint } from '../../topology/plan.js';
import { listenAt, ownSettings, recordsText, type TrafficServerFolders } from './config.js';

/** Settings that the testbed decides beside its own: the logs, the diagnostics on other ways, and what is looked up by DNS. */
const DECIDED = /^proxy\.config\.(?:log\.|diags\.(?:output|logfile)\.|output\.logfile\.|syslog_facility$)/;

/** A line of records.config that sets something. */
const SETTING = /^\s*(?:CONFIG|LOCAL)\s+(\S+)/;

/** It notices a visitor who has left. */
const NOTICES_END = /^\s*CONFIG\s+proxy\.config\.http\.allow_half_open\s+INT\s+0\s*$/m;

/** What the rewriting could not see to. */
export interface AdaptedRecords {
  text: string;
  reducedAttribution?: string;
}

/**
 * Fills `{{listen}}` (a port description for `proxy.config.http.server_ports`); leaves out what the testbed decides and puts its own
 * last. All else stays, each line in its place.
 */
export function adaptRecords(userText: string, folders: TrafficServerFolders, listen: Endpoint): AdaptedRecords {
  const own = ownSettings(folders);
  const decided = new Set(own.map(([name]) => `proxy.config.${name}`));
  const kept = userText
    .replaceAll('{{listen}}', listenAt(listen))
    .split(/\r?\n/)
    .map((line) => {
      const name = SETTING.exec(line)?.[1];
      return name !== undefined && (decided.has(name) || DECIDED.test(name)) ? '' : line;
    })
    .join('\n');
  const text = `${kept.endsWith('\n') ? kept : `${kept}\n`}${recordsText(own)}`;
  if (NOTICES_END.test(kept)) return { text };
  const reducedAttribution =
    'without `proxy.config.http.allow_half_open INT 0` a visitor who leaves is noticed only when the backend has answered: who left before the end of the run and was still waiting has no line in the log';
  return { text, reducedAttribution };
}
