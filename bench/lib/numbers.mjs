/** Medians, percentiles, and numbers as people read them. */

/** Median; of an even count the mean of the two in the middle. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Percentile by nearest rank; `share` 0.99 is p99. */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Three significant digits, thousands with a comma: 1.28, 0.061, 17,200. */
export function readable(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (typeof value === 'string') return value;
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size === 0 || Number.isInteger(value)) return String(value);
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toPrecision(2);
}

/** With its unit: 1.28×, 17,200 /s, 12 %. */
export function withUnit(value, unit) {
  if (value === null) return '–';
  return `${readable(value)}${unit === '' || unit === '×' ? unit : ` ${unit}`}`;
}
