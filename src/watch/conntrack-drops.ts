/** Packets that connection tracking dropped, by netlink: for kernels built without /proc/net/stat/nf_conntrack. It asks for CAP_NET_ADMIN. */
import { dump, dumpRequest, findAttribute, openNetlink } from '../observe/netlink.js';
import { C, close } from '../sys/libc.js';
import type { ConntrackDrops } from './sample.js';

// <linux/netfilter/nfnetlink_conntrack.h>
const GET_STATS_PER_CPU = (1 << 8) | 4;
const CTA_STATS_INSERT_FAILED = 9;
const CTA_STATS_DROP = 10;
const CTA_STATS_EARLY_DROP = 11;
/** Bytes of struct nfgenmsg. */
const NFGENMSG_BYTES = 4;

/** The counters by netlink, summed over the cores. Throws a PortPartyError where the kernel refuses, as it does without CAP_NET_ADMIN. */
export function readDropsByNetlink(): ConntrackDrops {
  const what = 'the counters of connection tracking';
  const netlink = openNetlink(null, C.NETLINK_NETFILTER, what);
  const drops: ConntrackDrops = { drop: 0, earlyDrop: 0, insertFailed: 0 };
  try {
    dump(netlink, dumpRequest(GET_STATS_PER_CPU, new Uint8Array(NFGENMSG_BYTES)), what, (_type, at, end) => {
      const value = (attribute: number) => {
        const payload = findAttribute(netlink.view, at + NFGENMSG_BYTES, end, attribute);
        return payload < 0 ? 0 : netlink.view.getUint32(payload);
      };
      drops.drop += value(CTA_STATS_DROP);
      drops.earlyDrop += value(CTA_STATS_EARLY_DROP);
      drops.insertFailed += value(CTA_STATS_INSERT_FAILED);
    });
  } finally {
    close(netlink.fd);
  }
  return drops;
}
