/** Names of containers. */

/** `shop[0]` as a container's name: `shop-0`. */
export function containerName(host: string): string {
  return host.replace(/\[(\d+)\]$/, '-$1');
}
