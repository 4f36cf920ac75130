/** Times in seconds as words for people; each name says the unit that it is given. */

/** `12.345 s` of nanoseconds: always to the millisecond, so that times of one chain of evidence can be compared. */
export function secondsOfNs(ns: number): string {
  return `${(ns / 1e9).toFixed(3)} s`;
}

/** `0.45 s`, `9.8 s`, `120 s` of milliseconds: as many digits as matter in a story. */
export function roughSecondsOfMs(ms: number): string {
  const value = ms / 1000;
  return `${Number(value.toFixed(value < 1 ? 2 : value < 100 ? 1 : 0))} s`;
}

/** `1.033 s`, `60 s` of milliseconds: to the millisecond, where there are any. */
export function exactSecondsOfMs(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))} s`;
}

/** `3.5 s`, `40 ms` of milliseconds: in the unit that a setting of that length is written in. */
export function spanOfMs(ms: number): string {
  return ms < 1000 ? `${Number(ms.toFixed(0))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
}
