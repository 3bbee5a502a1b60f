import {
  Binary,
  Bool,
  type Data,
  type DataType,
  Decimal,
  FixedSizeBinary,
  Float64,
  Int8,
  Int16,
  Int64,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { expect, test } from "vitest";
import { takeValues } from "#src/arrow/takeValues.js";
import fc from "../fastCheck.js";

const COUNT = 300;
const bytes = (i: number) => Uint8Array.from({ length: (i * 7) % 50 }, (_, k) => i + k);
const VALUES: readonly (readonly [DataType, (i: number) => unknown])[] = [
  [new Bool(), (i) => i % 3 === 0],
  [new Int8(), (i) => i % 100],
  [new Int16(), (i) => i],
  [new Int64(), (i) => BigInt(i) ** 6n],
  [new Float64(), (i) => i / 7],
  [new Decimal(2, 30), (i) => Uint32Array.of(i, i + 1, i + 2, 0)],
  [new FixedSizeBinary(16), (i) => new Uint8Array(16).fill(i)],
  [new Utf8(), (i) => "ü".repeat(i % 30)],
  [new Binary(), bytes],
];

const columns = VALUES.map(([type, made]) => {
  const column = vectorFromArray(
    Array.from({ length: COUNT + 9 }, (_, i) => (i % 11 === 4 ? null : made(i))),
    type,
  );
  // Not at its buffers' beginning.
  return column.slice(9).data[0]!;
});

/** Rows alone and rows in runs, in any order. */
const indices = fc
  .array(fc.tuple(fc.nat(COUNT - 1), fc.oneof(fc.constant(1), fc.nat(60))), { maxLength: 12 })
  .map((runs) =>
    runs.flatMap(([first, length]) => Array.from({ length }, (_, i) => first + i).filter((row) => row < COUNT)),
  );

test("taken values are those at the indices", () => {
  fc.assert(
    fc.property(indices, (rows) => {
      for (const column of columns) {
        const before = vectorOf(column);
        const after = vectorOf(takeValues(column, Uint32Array.from(rows)));
        expect(after).toEqual(rows.map((row) => before[row]));
      }
    }),
  );
});

function vectorOf(data: Data): unknown[] {
  return [...new Vector([data])];
}
