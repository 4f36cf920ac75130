/**
 * Program that runs on haproxy's host when it has ended: `node rings-to-log.js FOLDER LOG` appends the lines of the folder's ring buffers
 * to a log, the oldest one first (a haproxy that was started again has a new one), and removes them.
 */
import { appendFileSync, closeSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RING_BYTES, RING_SUFFIX, ringReader } from './ring.js';

const PIECE_BYTES = 1024 * 1024;

const [folder, log] = process.argv.slice(2);
const rings = readdirSync(folder).filter((name) => name.endsWith(RING_SUFFIX));
for (const name of rings.sort()) collect(join(folder, name));

function collect(ring: string): void {
  const file = openSync(ring, 'r');
  const reader = ringReader();
  const piece = Buffer.alloc(PIECE_BYTES);
  let at = 0;
  for (; at < RING_BYTES; at += PIECE_BYTES) {
    const bytes = piece.subarray(0, readSync(file, piece, 0, PIECE_BYTES, at));
    // Nothing has been written here yet: no line is as long as a piece.
    if (bytes.every((byte) => byte === 0)) break;
    append(reader.push(bytes));
  }
  append(reader.end());
  closeSync(file);
  rmSync(ring);
  if (at < RING_BYTES) return;
  console.error(`haproxy's log has more than ${RING_BYTES / 1024 ** 2} MB, and its oldest lines are gone`);
  process.exitCode = 1;
}

function append(lines: string[]): void {
  if (lines.length > 0) appendFileSync(log, `${lines.join('\n')}\n`, 'latin1');
}
