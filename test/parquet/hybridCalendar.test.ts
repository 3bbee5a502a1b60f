import { DateDay, Field, makeData, Struct, TimestampMicrosecond } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { makeBatch } from "#src/arrow/column.js";
import type { ParquetNode } from "#src/parquet/fileSchema.js";
import { gregorianDay, hybridCalendar, inGregorianCalendar } from "#src/parquet/hybridCalendar.js";

const VERSION = "org.apache.spark.version";

function rootOf(type: "INT32" | "INT96"): ParquetNode {
  const leaf = { element: { name: "t", type }, path: ["t"], children: [] };
  return { element: { name: "schema", num_children: 1 }, path: [], children: [leaf] } as ParquetNode;
}

test.each([
  // 1 January of the year 1; 29 February 1500, which is 1 March without it; the last day before the change, and the first behind it.
  [-719_164, -719_162],
  [-171_596, -171_605],
  [-141_428, -141_438],
  [-141_427, -141_427],
  [0, 0],
])("day %i of both calendars is %i of one", (hybrid, gregorian) => {
  expect(gregorianDay(hybrid)).toBe(gregorian);
});

describe("the calendar of a file", () => {
  test.each([
    ["another writer's", {}, "INT32", undefined],
    ["Spark 2.4's", { [VERSION]: "2.4.8" }, "INT32", { dates: true, timestamps: true }],
    ["Spark 3.0's with INT96", { [VERSION]: "3.0.2" }, "INT96", { dates: false, timestamps: true }],
    ["Spark 3.1's with INT96", { [VERSION]: "3.1.0" }, "INT96", undefined],
    ["Spark 4's", { [VERSION]: "4.0.1" }, "INT32", undefined],
    [
      "that of one told to",
      { [VERSION]: "4.0.1", "org.apache.spark.legacyDateTime": "" },
      "INT32",
      { dates: true, timestamps: true },
    ],
    [
      "that of one told to for INT96",
      { [VERSION]: "4.0.1", "org.apache.spark.legacyINT96": "" },
      "INT96",
      { dates: false, timestamps: true },
    ],
  ] as const)("%s", (_, keyValues, type, expected) => {
    expect(hybridCalendar(new Map(Object.entries(keyValues)), rootOf(type))).toEqual(expected);
  });
});

test("dates and times become the ones that were meant, nested ones too", () => {
  const day = makeData({
    type: new DateDay(),
    length: 3,
    nullCount: 1,
    nullBitmap: Uint8Array.of(0b101),
    data: Int32Array.of(-719_164, -719_164, 7),
  });
  const micros = BigInt64Array.of(-719_164n * 86_400_000_000n + 1n, 5n, -719_163n * 86_400_000_000n - 1n);
  const time = makeData({ type: new TimestampMicrosecond("UTC"), length: 3, nullCount: 0, data: micros });
  const fields = [new Field("d", day.type, true), new Field("t", time.type, true)];
  const nested = makeData({ type: new Struct(fields), length: 3, nullCount: 0, children: [day, time] });
  const batch = makeBatch([new Field("s", nested.type, true), fields[0]!], [nested, day], 3);
  const [s, d] = inGregorianCalendar(batch, { dates: true, timestamps: true }).data.children;
  expect([...d!.values]).toEqual([-719_162, -719_162, 7]);
  expect(d!.nullCount).toBe(1);
  expect([...s!.children[0]!.values]).toEqual([-719_162, -719_162, 7]);
  expect([...s!.children[1]!.values]).toEqual([-719_162n * 86_400_000_000n + 1n, 5n, -719_161n * 86_400_000_000n - 1n]);
  const untouched = inGregorianCalendar(batch, { dates: false, timestamps: false });
  expect(untouched.data.children[1]).toBe(day);
});
