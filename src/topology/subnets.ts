/** Addresses from 198.18.0.0/15, the range that RFC 2544 sets aside for benchmarks, carved into subnets one after another. */
import { usageError } from '../errors.js';
import { ipToNumber, numberToIp } from '../sys/ip.js';

/** First address of 198.18.0.0/15 (RFC 2544) as a number. */
export const RANGE_START = 0xc612_0000;
/** How many addresses 198.18.0.0/15 has. */
export const RANGE_SIZE = 2 ** 17;
const SMALLEST = 16;

/** A subnet in CIDR notation, such as `198.18.0.0/28`. */
export interface Subnet {
  cidr: string;
  prefixLength: number;
  /** Hands out its addresses from .2 upwards: .1 is left for the bridge of a driver that needs one. */
  nextAddress(): string;
}

/**
 * A carver of subnets: each call cuts the next one, the smallest that holds `addresses` and never below a /28.
 * The call throws a PortPartyError (exit 2) when the range is used up.
 */
export function subnetCarver(): (addresses: number) => Subnet {
  let used = 0;
  return (addresses) => {
    // The network's own address, .1 and the broadcast address belong to nobody.
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(addresses + 3)));
    const offset = Math.ceil(used / size) * size;
    used = offset + size;
    if (used > RANGE_SIZE) {
      throw usageError(
        'the topology needs more addresses than 198.18.0.0/15 has',
        undefined,
        'use fewer `hosts`, `addresses` or `sourceAddresses`',
      );
    }
    const base = RANGE_START + offset;
    const prefixLength = 32 - Math.log2(size);
    let next = base + 2;
    return { cidr: `${numberToIp(base)}/${prefixLength}`, prefixLength, nextAddress: () => numberToIp(next++) };
  };
}

/** First and last address of a subnet in CIDR notation, as numbers. */
export function boundsOf(cidr: string): { first: number; last: number } {
  const [address, length] = cidr.split('/');
  const first = ipToNumber(address);
  return { first, last: first + 2 ** (32 - Number(length)) - 1 };
}
