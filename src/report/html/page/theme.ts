/** Colours and line styles of charts: read from the style sheet, so that charts and text have the same in light, in the dark and on paper. */

/** The value of a custom property of the page, such as `--muted`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Custom property of a series' colour, by its place. */
export const seriesColour = (place: number) => `--s${(place % 8) + 1}`;

/** Custom property of a cause's colour: the same on every page. */
export const causeColour = (cause: string) =>
  colour(`--cause-${cause}`) === '' ? '--cause-unattributed' : `--cause-${cause}`;

/** Dashes of a line, by its place: lines differ without their colours as well. */
export function dashes(place: number): number[] {
  return [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [14, 5], [2, 6], [8, 3, 2, 3, 2, 3]][
    (place + Math.floor(place / 8)) % 8
  ];
}

/** A colour of a custom property that holds `r g b`, so far opaque. */
export const faded = (name: string, opacity: number) => `rgb(${colour(name)} / ${opacity.toFixed(3)})`;

/** Calls back when colours have changed: another scheme, or paper. */
export function onThemeChange(changed: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  addEventListener('beforeprint', () => {
    document.documentElement.dataset.print = '';
    changed();
  });
  addEventListener('afterprint', () => {
    delete document.documentElement.dataset.print;
    changed();
  });
}
