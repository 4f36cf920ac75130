/** A whole run inside the isolation, with the kernel's TCP counters of every host right before its traffic and right after. */
import { readFileSync } from 'node:fs';
import { loadScenario } from '../../dist/run/load-scenario.js';
import { runScenario } from '../../dist/run/run.js';
import { inNamespace } from '../../dist/sys/namespace.js';
import { allowedCores } from '../../dist/sys/scheduling.js';
import { netnsDriver } from '../../dist/testbed/netns/driver.js';

/** `Tcp:` of /proc/net/snmp by host and name. */
function tcpCounters({ hosts }) {
  const counters = {};
  for (const [name, { netns }] of hosts) {
    const text = inNamespace(netns, () => readFileSync('/proc/thread-self/net/snmp', 'utf8'));
    const [names, values] = [...text.matchAll(/^Tcp: (.*)$/gm)].map(([, line]) => line.split(' '));
    counters[name] = Object.fromEntries(names.map((one, index) => [one, Number(values[index])]));
  }
  return counters;
}

/**
 * Every part on one core. PassiveOpens counts the sockets that the kernel has made for the other side's handshakes, and when a handshake's last
 * segment and the request behind it are worked on by two cores at a time, both make one, of which one is thrown away (tcp_check_req,
 * inet_csk_complete_hashdance). A segment stays on the core that has sent it, so a sender who stays on one core sees none of that.
 */
function onePartPerCore() {
  const cores = allowedCores();
  const at = (index) => [cores[Math.min(index, cores.length - 1)]];
  return { harness: at(0), proxies: at(1), servers: at(2) };
}

/** Runs a scenario's file; returns the record's folder, and for each trial in turn what each host's counters have grown by. */
export async function countedRun({ file, out }) {
  const driver = netnsDriver();
  const grown = [];
  let testbed;
  let before;
  const { dir } = await runScenario(await loadScenario(file), {
    outDir: out,
    driver: {
      ...driver,
      async build(plan, place) {
        testbed = await driver.build(plan, place);
        return testbed;
      },
    },
    driverReason: 'the only one that can be watched from here',
    placement: onePartPerCore(),
    onProgress(_, { phase }) {
      if (phase === 'under way') before = tcpCounters(testbed);
    },
    onRemark() {},
    interrupt: new AbortController().signal,
    async keep() {
      const after = tcpCounters(testbed);
      for (const [host, counters] of Object.entries(after))
        for (const name of Object.keys(counters)) counters[name] -= before[host][name];
      grown.push(after);
    },
  });
  return { dir, grown };
}
