/** Warnings that come once and go once: each is raised at one line and ends only at a lower one, so that a value on the line does not flicker. */

/** What a warning can be about, as of now. */
export interface Condition {
  /** What it is about, the same each time. */
  key: string;
  /** It is bad enough to be told. */
  raise: boolean;
  /** It is good again. Neither: it stays as it was. */
  clear: boolean;
  /** The warning as a sentence, without end; asked for only where there is one. */
  text(): string;
}

/** A change: the warning has come, or it is over. */
export interface AlarmEvent {
  key: string;
  kind: 'raised' | 'cleared';
  /** The condition's text at this moment; of one that is gone altogether, its last one. */
  text: string;
}

/** The warnings that stand, by key. */
export interface Alarms {
  /** Judges all conditions of a moment; one that is no longer among them is over. */
  judge(conditions: Condition[]): AlarmEvent[];
  /** Whether judging them would raise a warning that does not stand yet. */
  wouldRaise(conditions: Condition[]): boolean;
  /** Texts of those that stand, the oldest first. */
  standing(): string[];
}

/** No warning stands. */
export function alarms(): Alarms {
  const standing = new Map<string, string>();
  return {
    judge(conditions) {
      const events: AlarmEvent[] = [];
      const gone = new Set(standing.keys());
      for (const { key, raise, clear, text } of conditions) {
        gone.delete(key);
        if (standing.has(key)) {
          standing.set(key, text());
          if (!clear) continue;
          events.push({ key, kind: 'cleared', text: text() });
          standing.delete(key);
        } else if (raise) {
          standing.set(key, text());
          events.push({ key, kind: 'raised', text: text() });
        }
      }
      for (const key of gone) {
        events.push({ key, kind: 'cleared', text: standing.get(key) ?? '' });
        standing.delete(key);
      }
      return events;
    },
    wouldRaise: (conditions) => conditions.some(({ key, raise }) => raise && !standing.has(key)),
    standing: () => [...standing.values()],
  };
}
