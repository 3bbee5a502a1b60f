import assert from "node:assert/strict";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { expect, it } from "vitest";
import { compressSnappy } from "#src/parquet/small/snappy.js";
import fc from "../../fastCheck.js";

function roundTrip(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  snappyUncompress(compressSnappy(bytes), out);
  return out;
}

/** Pieces that come again, near and far, in one byte array. */
const texts = fc
  .array(fc.record({ piece: fc.uint8Array({ minLength: 1, maxLength: 80 }), times: fc.integer({ min: 1, max: 40 }) }), {
    maxLength: 12,
  })
  .map((parts) => Buffer.concat(parts.flatMap(({ piece, times }) => Array.from({ length: times }, () => piece))));

it("gives any bytes back", () => {
  fc.assert(
    fc.property(texts, (bytes) => {
      assert.deepEqual(roundTrip(bytes), new Uint8Array(bytes));
    }),
    { numRuns: 1000 },
  );
});

it("gives back more than a block, with matches at every distance and of every length", () => {
  const bytes = new Uint8Array(200_000);
  for (let i = 0, state = 1; i < 70_000; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 24;
  }
  for (let at = 70_000, length = 1; at + length <= bytes.length; at += length++)
    bytes.copyWithin(at, at - 3 * length - 60, at - 2 * length - 60);
  expect(Buffer.compare(roundTrip(bytes), bytes)).toBe(0);
  expect(compressSnappy(bytes).length).toBeLessThan(bytes.length / 2);
});

it("makes one literal of what doesn't repeat", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(compressSnappy(bytes).length).toBe(2 + 2 + 256);
});
