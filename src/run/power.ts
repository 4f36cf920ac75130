/** A gateway that is switched off and on again: its packets are dropped before anything else sees them, and its memory is gone. */
import type { Host } from '../testbed/host.js';

const TABLE = 'portparty_off';

/** Nothing that arrives gets further, and nothing leaves. Before connection tracking and every other rule (priority raw is -300). */
export async function switchOff(host: Host): Promise<void> {
  const chain = (hook: 'prerouting' | 'output') =>
    `  chain ${hook}_off {\n    type filter hook ${hook} priority -450; policy drop;\n  }\n`;
  const rules = `table ip ${TABLE} {}\ndelete table ip ${TABLE}\ntable ip ${TABLE} {\n${chain('prerouting')}${chain('output')}}\n`;
  await host.run(['nft', '-f', '-'], { input: rules });
}

/** Back again, without the connections that it knew. Also of one that was never off: that is a quick restart. */
export async function switchOn(host: Host): Promise<void> {
  await host.run(['conntrack', '-F']);
  await host.run(['nft', '-f', '-'], { input: `table ip ${TABLE} {}\ndelete table ip ${TABLE}\n` });
}
