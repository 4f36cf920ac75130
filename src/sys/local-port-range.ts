/** The kernel's range of ephemeral ports, from the text of `net.ipv4.ip_local_port_range`. */

/** Text of ip_local_port_range, `32768\t60999`; both ports belong to the range. */
export function parseLocalPortRange(text: string): { lo: number; hi: number } {
  const [lo, hi] = text.trim().split(/\s+/).map(Number);
  return { lo, hi };
}
