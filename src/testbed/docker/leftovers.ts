/** What runs left behind on the daemon: things with our label whose process is gone. */
import type { Daemon } from './daemon.js';
import { OWNER_LABEL, ownerState } from './owner.js';
import { findLabelled, removeThings, type Thing } from './removal.js';

/** Everything of ours on a daemon, by whether its process still runs; `elsewhere` is of other machines. */
export async function findThings({ docker }: Daemon): Promise<Record<ReturnType<typeof ownerState>, Thing[]>> {
  const found = { running: [] as Thing[], gone: [] as Thing[], elsewhere: [] as Thing[] };
  for (const thing of await findLabelled(docker, OWNER_LABEL))
    found[ownerState(thing.labels[OWNER_LABEL] ?? '')].push(thing);
  return found;
}

/** Removes what processes of this machine that are gone have left, and says what it was. Throws a PortPartyError (exit 3). */
export async function removeAbandoned(daemon: Daemon): Promise<Thing[]> {
  const { gone } = await findThings(daemon);
  await removeThings(daemon.docker, gone);
  return gone;
}
