/** Scenes of the testbed's tests: each builds a chain, does one thing, and returns what it saw. */
import { build, hold, startNode, startSink } from './chain.mjs';

/** Holds connections of several clients through a gateway; returns how many were established and from which addresses. */
export async function heldThroughNat({ clients, each, nat, ms = 4500 }) {
  const chain = await build({
    buyers: { kind: 'client', hosts: clients, to: 'edge' },
    edge: { kind: 'nat', to: 'shop', ...nat },
    shop: { kind: 'fixed' },
  });
  await startNode(chain, 'edge');
  const target = chain.plan.listeners.shop;
  const sink = await startSink(chain.host('shop'), target);
  const sources = [...chain.testbed.hosts.values()].filter((host) => host.node === 'buyers');
  const counts = await Promise.all(sources.map((host) => hold(host, target, each, ms)));
  const peers = await sink.peers();
  await chain.testbed.down();
  return { established: counts.reduce((sum, count) => sum + count, 0), perAddress: Object.values(peers).sort() };
}
