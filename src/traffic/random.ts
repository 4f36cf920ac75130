/** Seeded random numbers: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c), seeded by SplitMix64. */

/** A stream of random numbers; the same seed gives the same stream on every machine. */
export interface RandomStream {
  /** The next 32 random bits. */
  next32(): number;
  /** The next number in [0, 1), with 53 random bits. */
  next(): number;
}

const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** SplitMix64 (https://prng.di.unimi.it/splitmix64.c): spreads any seed, 0 included, over 64-bit words. */
export function splitMix64(seed: bigint): () => bigint {
  let state = seed & MASK_64;
  return () => {
    state = (state + 0x9e37_79b9_7f4a_7c15n) & MASK_64;
    let word = state;
    word = ((word ^ (word >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK_64;
    word = ((word ^ (word >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK_64;
    return word ^ (word >> 31n);
  };
}

/** xoshiro128** from its four words of state, which must not all be 0. */
export function xoshiro128(s0: number, s1: number, s2: number, s3: number): RandomStream {
  function next32(): number {
    const scrambled = Math.imul(s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  }
  return {
    next32,
    next: () => ((next32() >>> 5) * 2 ** 26 + (next32() >>> 6)) / 2 ** 53,
  };
}

/** The stream of a scenario's seed, a whole number. */
export function randomStream(seed: number): RandomStream {
  const word = splitMix64(BigInt(seed));
  const a = word();
  const b = word();
  return xoshiro128(Number(a & 0xffff_ffffn), Number(a >> 32n), Number(b & 0xffff_ffffn), Number(b >> 32n));
}
