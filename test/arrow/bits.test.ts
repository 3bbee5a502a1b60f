import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { allSet, copyBits, countUnset, intersect, isSet, setBits } from "#src/arrow/bits.js";
import fc from "../fastCheck.js";

/** A bitmap with room before and behind, its bits as booleans, and where they begin. */
const bitmaps = fc.record({ bytes: fc.uint8Array({ minLength: 12, maxLength: 12 }), offset: fc.nat(15) });
const lengths = fc.nat(70);

function read(bytes: Uint8Array, offset: number, length: number): boolean[] {
  return Array.from({ length }, (_, i) => isSet({ bits: bytes, offset }, i));
}

test("bits are copied from any place to any other, and nothing beside them changes", () => {
  fc.assert(
    fc.property(bitmaps, fc.nat(20), lengths, ({ bytes, offset }, to, length) => {
      const target = new Uint8Array(13);
      copyBits(bytes, offset, target, to, length);
      const zeros = (count: number): boolean[] => Array(count).fill(false);
      const expected = [...zeros(to), ...read(bytes, offset, length), ...zeros(104 - to - length)];
      assert.deepEqual(read(target, 0, 104), expected);
    }),
  );
});

test("bits are set, counted and intersected", () => {
  fc.assert(
    fc.property(bitmaps, bitmaps, fc.nat(20), lengths, (a, b, from, length) => {
      const target = new Uint8Array(13);
      setBits(target, from, length);
      assert.deepEqual(
        read(target, 0, 104),
        Array.from({ length: 104 }, (_, i) => i >= from && i < from + length),
      );
      const bits = read(a.bytes, a.offset, length);
      const others = read(b.bytes, b.offset, length);
      const left = { bits: a.bytes, offset: a.offset };
      expect(countUnset(left, length)).toBe(bits.filter((bit) => !bit).length);
      const both = intersect(left, { bits: b.bytes, offset: b.offset }, length)!;
      assert.deepEqual(
        read(both.bits, both.offset, length),
        bits.map((bit, i) => bit && others[i]),
      );
      expect(countUnset({ bits: allSet(length), offset: 0 }, length)).toBe(0);
    }),
  );
});
