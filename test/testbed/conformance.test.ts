/** Every promise of `Host` and `Testbed`, kept by every driver, as every user, by every way. The promises are in `conformance/`. */
import { afterAll, beforeAll, describe } from 'vitest';
import { testbedWays, titleOf } from '../helpers/ways.js';
import { commandPromises } from './conformance/commands.js';
import { daemonPromises } from './conformance/daemons.js';
import { endPromises } from './conformance/end.js';
import { filePromises } from './conformance/files.js';
import { impairedLinkPromises } from './conformance/impaired-links.js';
import { linkPromises } from './conformance/links.js';
import { neighbourPromises } from './conformance/neighbours.js';
import { refusalPromises } from './conformance/refusals.js';
import { sysctlPromises } from './conformance/sysctls.js';
import { type Bench, type OpenTestbed, openBench } from './open.js';

/** Every shape of attachment: several hosts on a segment, a gateway between two, several addresses on one interface. */
const CHAIN = {
  buyers: { kind: 'client', hosts: 2, ports: '30000-30999', to: 'edge' },
  edge: { kind: 'nat', ports: '20000-20499', addresses: 2, to: 'shop' },
  shop: { kind: 'fixed', hosts: 2 },
};

for (const way of await testbedWays())
  describe.skipIf(way.missing !== undefined)(titleOf(way), () => {
    let bench: Bench;
    let testbed: OpenTestbed;
    beforeAll(async () => {
      bench = await openBench(way);
      testbed = await bench.build(CHAIN);
    }, 300_000); // The images may have to be built first.
    afterAll(() => bench?.close());

    describe('while it is up', () => {
      const up = () => testbed;
      linkPromises(up);
      commandPromises(way, up);
      filePromises(up);
      daemonPromises(up);
      sysctlPromises(up);
      neighbourPromises(() => bench, up);
    });
    endPromises(
      way,
      () => bench,
      () => testbed,
    );
    refusalPromises(() => bench);
    impairedLinkPromises(() => bench);
  });
