/** Which settings are worth a try: those that a story's advice names with a knob and a value, and those that somebody gives. Pure. */
import type { Cause } from '../ledger/causes.js';
import type { Story } from './story.js';

/** A setting, or several that are tried together. */
export interface Candidate {
  /** Names it in tables and as a variant: `ports=1024-65535`. */
  name: string;
  settings: { knob: string; value: string }[];
  /** A sentence: what it does. Absent where it was given. */
  do?: string;
  /** The arithmetic behind it. */
  because?: string;
  /** What it is meant to help against. */
  against?: { cause: Cause; at: string };
}

/** From the advice of a story, its heaviest causes first, each setting once; at most so many. */
export function proposedCandidates({ chapters }: Pick<Story, 'chapters'>, most: number): Candidate[] {
  const proposed = chapters.flatMap(({ cause, at, advice }) =>
    advice.flatMap(({ knob, value, do: what, because }) =>
      knob === undefined || value === undefined
        ? []
        : [
            {
              settings: [{ knob, value }],
              do: what,
              ...(because !== undefined && { because }),
              against: { cause, at },
            },
          ],
    ),
  );
  const texts = proposed.map((one) => textsOf(one).join(' '));
  const distinct = proposed.filter((_, index) => texts.indexOf(texts[index]) === index);
  return named(distinct.slice(0, most));
}

/** From `a.b=1` or, tried together, `a.b=1 c.d=2`, each as `--set` takes it. */
export function givenCandidates(texts: string[]): Candidate[] {
  return named(
    texts.map((text) => ({
      settings: text
        .trim()
        // A value may hold blanks; a new setting begins with a path and an equals sign.
        .split(/\s+(?=[\w-]+(?:\.[\w-]+)+=)/)
        .map((part) => {
          const equals = part.indexOf('=');
          return equals === -1
            ? { knob: part, value: '' }
            : { knob: part.slice(0, equals).trim(), value: part.slice(equals + 1).trim() };
        }),
    })),
  );
}

/** Its settings as `--set` takes them; one without a value as it was given. */
export function textsOf({ settings }: Pick<Candidate, 'settings'>): string[] {
  return settings.map(({ knob, value }) => (value === '' ? knob : `${knob}=${value}`));
}

/** By the last word of each knob, and by the whole way where that names two. */
function named(candidates: Omit<Candidate, 'name'>[]): Candidate[] {
  const short = (one: Omit<Candidate, 'name'>) =>
    nameOf(one, (knob) => /(?:sysctls\.(.+)|([^.]+))$/.exec(knob)?.[0] ?? knob);
  return candidates.map((one) => {
    const isShared = candidates.some((other) => other !== one && short(other) === short(one));
    return { name: isShared ? nameOf(one, (knob) => knob) : short(one), ...one };
  });
}

function nameOf({ settings }: Pick<Candidate, 'settings'>, label: (knob: string) => string): string {
  return settings.map(({ knob, value }) => `${label(knob).replace(/^sysctls\./, '')}=${value}`).join('+');
}
