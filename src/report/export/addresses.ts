/** The testbed's addresses by their owners: variants may have other ones for the same host, and nobody else has any use for them. */
import type { ChainRecord } from '../../record/chain-record.js';

/** One chain's addresses. */
export interface Addresses {
  /** Replaces each address of a text by its owner's name, the same in every chain. */
  hide(text: string): string;
  /** Puts the addresses of this chain in again. */
  show(text: string): string;
}

const OWNER = /<<([^<>]+)>>/g;
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;

/** Whether a text of hidden addresses has any. */
export const hasAddress = (text: string) => /<<[^<>]+>>/.test(text);

/** Reads a chain's addresses. The first host of a node has the same name whether there are more or not. */
export function addressesOf({ nodes }: ChainRecord): Addresses {
  const owners = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const { hosts } of Object.values(nodes))
    for (const { name, addresses: all } of hosts)
      for (const [index, address] of all.entries()) {
        const owner = `${name.includes('[') ? name : `${name}[0]`} ${index}`.replaceAll(' ', '/');
        owners.set(address, owner);
        addresses.set(owner, address);
      }
  return {
    hide: (text) =>
      text.replace(ADDRESS, (address) => {
        const owner = owners.get(address);
        return owner === undefined ? address : `<<${owner}>>`;
      }),
    show: (text) => text.replace(OWNER, (hidden, owner: string) => addresses.get(owner) ?? hidden),
  };
}
