/** The kernel settings that a variant has and its base has not, as a file for /etc/sysctl.d. */
import { headLines, type Part } from './part.js';

/** Settings of one node in the order in which they are set. */
export type Sysctls = readonly (readonly [name: string, value: string])[];

/** Testbeds have no IPv6, whatever is measured. */
const OF_TESTBED = new Set(['net.ipv6.conf.all.disable_ipv6']);

/**
 * What changed; undefined where nothing did. sysctl.d(5) knows comments on lines of their own only: what stands behind a value would be
 * a part of it.
 */
export function kernelPart(node: string, base: Sysctls, variant: Sysctls): Part | undefined {
  const [before, after] = [base, variant].map(
    (settings) => new Map(settings.filter(([name]) => !OF_TESTBED.has(name))),
  );
  const changed = [...after].filter(([name, value]) => before.get(name) !== value);
  const gone = [...before].filter(([name]) => !after.has(name));
  if (changed.length + gone.length === 0) return undefined;
  const name = `99-portparty-${node}.conf`;
  return {
    name,
    node,
    about: 'kernel settings for /etc/sysctl.d',
    changes: changed.length + gone.length,
    render(context) {
      const hints = [
        `Copy it to /etc/sysctl.d/${name} on that machine, and load it: sysctl -p /etc/sysctl.d/${name}`,
        ...(changed.some(([setting]) => setting.includes('nf_conntrack'))
          ? ['Load the module nf_conntrack first (/etc/modules-load.d), or the kernel does not know these names yet.']
          : []),
      ];
      const lines = [
        ...changed.flatMap(([setting, value]) => [
          `# ${context.comment}`,
          `# was: ${before.has(setting) ? `${setting} = ${before.get(setting)}` : "the kernel's own default"}`,
          `${setting} = ${value}`,
        ]),
        ...gone.map(([setting, value]) => `# remove: ${setting} = ${value}  # ${context.comment}`),
      ];
      return { name, text: `${headLines(node, context, hints)}\n${lines.join('\n')}\n` };
    },
  };
}

/** The limit of open files of a node's service, as a drop-in of systemd; undefined where it did not change. */
export function fileLimitPart(node: string, base: unknown, variant: unknown): Part | undefined {
  if (base === variant) return undefined;
  const name = `${node}.service.d.conf`;
  return {
    name,
    node,
    about: 'the limit of open files, for `systemctl edit <service>`',
    changes: 1,
    render(context) {
      const was = `# was: ${base === undefined ? "the service's own default" : `LimitNOFILE=${base}`}`;
      const line = variant === undefined ? [`# remove: LimitNOFILE=${base}`] : [was, `LimitNOFILE=${variant}`];
      const body = ['[Service]', `# ${context.comment}`, ...line].join('\n');
      return { name, text: `${headLines(node, context, [])}\n${body}\n` };
    },
  };
}
