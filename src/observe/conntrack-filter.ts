/** Which messages of connection tracking are worth waking for: of an entry's many changes of state, only its last ones. */
import {
  CTA_PROTOINFO,
  CTA_PROTOINFO_TCP,
  CTA_PROTOINFO_TCP_STATE,
  NFGEN_BYTES,
  STATE_CLOSE,
  STATE_TIME_WAIT,
} from './conntrack-entry.js';
import { HEADER_BYTES } from './netlink.js';
import type { Instruction } from './socket-filter.js';

/** Ancillary loads of <linux/filter.h>: the attribute of type X among those that begin at A, and the same inside a nest at A. */
const NLATTR = 0xffff_f000 + 12;
const NLATTR_NEST = 0xffff_f000 + 16;

/**
 * Lets every NEW and DESTROY pass, and an UPDATE whose TCP state is TIME_WAIT or CLOSE: one more message per connection
 * instead of one per change. Loads single bytes, because BPF reads words as big-endian and netlink's header is in host order.
 */
export const CONNTRACK_FILTER: readonly Instruction[] = [
  [0x30, 0, 0, 4], //                             ldb  low byte of nlmsg_type
  [0x15, 0, 17, 0], //                            jeq  IPCTNL_MSG_CT_NEW, else pass: a DESTROY
  [0x30, 0, 0, 7], //                             ldb  high byte of nlmsg_flags
  [0x45, 15, 0, 0x04], //                         jset NLM_F_CREATE -> pass: a NEW
  [0x00, 0, 0, HEADER_BYTES + NFGEN_BYTES], //    ld   where the attributes begin
  [0x01, 0, 0, CTA_PROTOINFO], //                 ldx
  [0x30, 0, 0, NLATTR], //                        ldb  offset of the attribute, 0 when there is none
  [0x15, 10, 0, 0], //                            jeq  0 -> drop
  [0x01, 0, 0, CTA_PROTOINFO_TCP], //             ldx
  [0x30, 0, 0, NLATTR_NEST], //                   ldb
  [0x15, 7, 0, 0], //                             jeq  0 -> drop
  [0x01, 0, 0, CTA_PROTOINFO_TCP_STATE], //       ldx
  [0x30, 0, 0, NLATTR_NEST], //                   ldb
  [0x15, 4, 0, 0], //                             jeq  0 -> drop
  [0x07, 0, 0, 0], //                             tax
  [0x50, 0, 0, 4], //                             ldb  the state, behind the attribute's own header
  [0x15, 2, 0, STATE_TIME_WAIT], //               jeq  -> pass
  [0x15, 1, 0, STATE_CLOSE], //                   jeq  -> pass
  [0x06, 0, 0, 0], //                             drop
  [0x06, 0, 0, 0xffff_ffff], //                   pass
];
