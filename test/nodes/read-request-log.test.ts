/** A server's request log: lines that nobody asks for are passed over, and none that tells of trouble ever is. */
import { describe, expect, it } from 'vitest';
import { readRequestLog } from '../../src/nodes/read-request-log.js';
import type { Host } from '../../src/testbed/host.js';

const request = (id: string, more: object = {}) =>
  JSON.stringify({ t: 12.5, s: 2, id, peer: '198.18.0.2:30000', status: 200, method: 'GET', path: '/event', ...more });
const STORE = { tries: [{ to: '198.18.2.2:6379', result: 'answered', s: 3, t: 4 }] };
const LINES = [
  request('r.0.0'),
  request('r.1.0', { path: '/a"id":"r.0.0"' }),
  request('r.2.0', { status: 503 }),
  request('r.3.0', { status: 429 }),
  request('r.4.0', { lost: 1 }),
  request('r.5.0', { store: STORE }),
  request('r.6.0', { status: 0 }),
  '{"t":5,"kind":"file-limit","text":"accept4: EMFILE","count":3}',
  request('r.7.0'),
  request('r.8.0'),
];

/** A host whose log comes in pieces of so many characters, or as a whole. */
function hostOf(text: string, characters?: number): Host {
  async function* readPieces() {
    for (let at = 0; at < text.length; at += characters!) yield text.slice(at, at + characters!);
  }
  return { name: 'shop', readFile: async () => text, ...(characters && { readPieces }) } as unknown as Host;
}

describe('a request log', () => {
  it.each([undefined, 1, 7, 130, 100_000])('is read whole, in pieces of %s characters as well', async (characters) => {
    const { sightings, incidents } = await readRequestLog(hostOf(`${LINES.join('\n')}\n`, characters));
    expect(sightings.map(({ evidence }) => evidence)).toEqual(LINES.filter((line) => !line.includes('kind')));
    expect(incidents.map(({ evidence }) => evidence)).toEqual(['shop: accept4: EMFILE (3 times)']);
  });

  it('leaves out what was simply answered and is not wanted, and nothing else', async () => {
    const text = `${LINES.join('\n')}\n${request('r.9.0', { status: 404 })}\n${request('r.10.0').slice(0, 60)}`;
    const { sightings, incidents } = await readRequestLog(hostOf(text, 200), (id) => id === 'r.7.0');
    expect(sightings.map(({ id }) => id)).toEqual(['r.1.0', 'r.2.0', 'r.3.0', 'r.4.0', 'r.5.0', 'r.6.0', 'r.7.0']);
    expect(incidents).toHaveLength(1);
  });
});
