/** The normal distribution and Student's t: what intervals and sample sizes are made from. */
import { bisect, errorFunction } from 'simple-statistics';

/** Beyond this both tails are 0 for every purpose here. */
const FAR = 40;

/** Share of the standard normal distribution below `z`; off by at most 1.2e-7. */
export function normalShare(z: number): number {
  return (1 + errorFunction(z / Math.SQRT2)) / 2;
}

/** The standard normal's quantile: `normalShare` the other way round. */
export function normalQuantile(share: number): number {
  return quantileOf(normalShare, share);
}

/** The quantile of Student's t with a whole number of degrees of freedom. */
export function tQuantile(share: number, freedom: number): number {
  // With one degree of freedom the tails are those of the Cauchy distribution, too long to search in.
  if (freedom === 1) return Math.tan(Math.PI * (share - 0.5));
  return quantileOf((t) => tShare(t, freedom), share, 1000);
}

/** Share of Student's t below `t` in closed form: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4. */
function tShare(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const cosSquared = Math.cos(angle) ** 2;
  const odd = freedom % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = 0;
  for (let power = odd ? 1 : 0; power <= freedom - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cosSquared;
  }
  const within = odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return (1 + within) / 2;
}

function quantileOf(shareBelow: (value: number) => number, share: number, far = FAR): number {
  if (share <= 0) return -far;
  if (share >= 1) return far;
  if (share === 0.5) return 0;
  return bisect((value) => shareBelow(value) - share, -far, far, 200, 1e-9);
}
