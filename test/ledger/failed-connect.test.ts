/** A connection of a proxy that did not come about, for a reason that its log leaves out: its SYN tells. */
import { expect, it } from 'vitest';
import { verdictOfSighting } from '../../src/ledger/proxy-side.js';
import {
  BALANCER_BACK,
  behindProxy,
  caseOf,
  observed,
  type Packet,
  SHOPS,
  sighting,
  tapOf,
  upstreamTry,
} from './hand-made.js';

const [SHOP] = SHOPS;
const FROM = `${BALANCER_BACK}:30000`;
const lost = sighting('balancer', 'r.0.0', [100, 102], { tries: [upstreamTry(102, 'connect-failed')] });

function verdict(proxy: Packet[], shop: Packet[] = []) {
  const taps = [tapOf('balancer', proxy), tapOf('shop[0]', shop)];
  return verdictOfSighting(caseOf(behindProxy(), observed({ taps, sightings: [lost] })), lost);
}

it('without any SYN then, the proxy had no port', () => {
  const before: Packet = { ms: 10, way: 'out', from: FROM, to: SHOP, kind: 'syn', isn: 7 };
  expect(verdict([before])).toMatchObject({ cause: 'ports-exhausted', at: 'balancer' });
});

it('with a SYN that was answered by RST, nothing listened there', () => {
  const syn = { ms: 101, from: FROM, to: SHOP, kind: 'syn', isn: 7 } as const;
  const rst = { ms: 101.2, from: SHOP, to: FROM, kind: 'refusal', isn: 7 } as const;
  const seen = verdict(
    [
      { ...syn, way: 'out' },
      { ...rst, way: 'in' },
    ],
    [
      { ...syn, way: 'in' },
      { ...rst, way: 'out' },
    ],
  );
  expect(seen).toMatchObject({ cause: 'refused', at: 'shop' });
});

it('before one whose connection was answered, and that hung all the same, is what the request was lost to', () => {
  const syn = { ms: 102, from: FROM, to: SHOPS[1], kind: 'syn', isn: 7 } as const;
  const answer = { ms: 102.2, from: SHOPS[1], to: FROM, kind: 'syn-ack', isn: 7 } as const;
  const tries = [upstreamTry(102, 'connect-failed'), { ...upstreamTry(4100, 'connect-timeout'), to: SHOPS[1] }];
  const hung = sighting('balancer', 'r.0.0', [100, 4100], { status: 499, tries });
  const taps = [
    tapOf('balancer', [
      { ...syn, way: 'out' },
      { ...answer, way: 'in' },
    ]),
    tapOf('shop[1]', [
      { ...syn, way: 'in' },
      { ...answer, way: 'out' },
    ]),
  ];
  const seen = verdictOfSighting(caseOf(behindProxy(), observed({ taps, sightings: [hung] })), hung);
  expect(seen).toMatchObject({ cause: 'ports-exhausted', at: 'balancer' });
});
