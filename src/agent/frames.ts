/** Values over a byte stream: four bytes of length, then the value as `v8.serialize` writes it, typed arrays and bigints included. */
import type { Readable, Writable } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

const LENGTH_BYTES = 4;
/** Longer than any value of ours; four bytes of text, read as a length, come to more: foreign output is told as what it is. */
const MOST_BYTES = 0x2000_0000;

/** Writes a value; it may wait in memory until the stream takes it. */
export function writeFrame(output: Writable, value: unknown): void {
  const payload = serialize(value);
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32LE(payload.length);
  output.write(length);
  output.write(payload);
}

/**
 * Calls `take` with each value that arrives. `foreign` is called once, with what came instead, when the bytes are no frames;
 * nothing is taken any more after that.
 */
export function readFrames(input: Readable, take: (value: unknown) => void, foreign: (text: string) => void): void {
  let chunks: Buffer[] = [];
  let buffered = 0;
  let wanted = LENGTH_BYTES;
  let inPayload = false;
  let broken = false;

  /** The next `wanted` bytes; the pieces of a long value are joined once, not at each arrival. */
  function shift(): Buffer {
    const all = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, buffered);
    const taken = all.subarray(0, wanted);
    chunks = wanted < all.length ? [all.subarray(wanted)] : [];
    buffered -= wanted;
    return taken;
  }

  input.on('data', (chunk: Buffer) => {
    if (broken) return;
    chunks.push(chunk);
    buffered += chunk.length;
    while (buffered >= wanted) {
      const bytes = shift();
      if (inPayload) {
        wanted = LENGTH_BYTES;
        take(deserialize(bytes));
      } else {
        wanted = bytes.readUInt32LE();
        if (wanted === 0 || wanted > MOST_BYTES) {
          broken = true;
          foreign(Buffer.concat([bytes, ...chunks]).toString());
          return;
        }
      }
      inPayload = !inPayload;
    }
  });
}
