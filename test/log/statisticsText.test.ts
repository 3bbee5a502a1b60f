import { Vector } from "apache-arrow";
import { expect, test } from "vitest";
import { buildColumn } from "#src/arrow/buildColumn.js";
import type { Action } from "#src/log/actions.js";
import { checkpointFields } from "#src/log/checkpointSchema.js";
import { classicCheckpointPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { statisticsText } from "#src/log/statisticsText.js";
import { listFiles } from "#src/ops/files.js";
import { planFiles } from "#src/read/plan.js";
import type { DataType, StructField, StructType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import { add, metaData, PROTOCOL, remove } from "./build.js";
import { field, parquetOf, struct } from "./checkpointFiles.js";

function textsOf(type: DataType, values: readonly unknown[]): unknown[] {
  return [...new Vector([statisticsText(buildColumn(type, values, { column: "c", rowOf: (row) => row }))])];
}

test("is the JSON that a commit would have: bounds of every type, nested ones too", () => {
  const bounds = struct(
    field("b", "byte"),
    field("l", "long"),
    field("f", "float"),
    field("d", "double"),
    field("dec", "decimal(20,3)"),
    field("s", "string"),
    field("day", "date"),
    field("at", "timestamp"),
    field("ntz", "timestamp_ntz"),
    field("is", "boolean"),
    field("in", struct(field("x", "integer"))),
  );
  const type = struct(field("numRecords", "long"), field("minValues", bounds), field("tightBounds", "boolean"));
  const values = {
    b: -3,
    l: 9_007_199_254_740_993n,
    f: 0.5,
    d: Number.NaN,
    dec: "-12345678901234567.890",
    s: 'a"\\\né',
    day: "0001-01-01",
    at: "2024-01-31T12:00:00.123456Z",
    ntz: "1969-12-31T23:59:59.5",
    is: true,
    in: { x: 1 },
  };
  const [text, empty, none] = textsOf(type, [
    { numRecords: 5n, minValues: values, tightBounds: false },
    { numRecords: null, minValues: null },
    null,
  ]);
  expect(text).toBe(
    '{"numRecords":5,"minValues":{"b":-3,"l":9007199254740993,"f":0.5,"d":"NaN","dec":-12345678901234567.890,' +
      '"s":"a\\"\\\\\\né","day":"0001-01-01","at":"2024-01-31T12:00:00.123456Z","ntz":"1969-12-31T23:59:59.500000",' +
      '"is":true,"in":{"x":1}},"tightBounds":false}',
  );
  expect([empty, none]).toEqual(["{}", null]);
});

test("leaves out what no statistics can be", () => {
  const list = { type: "array", elementType: "long", containsNull: true } as const;
  const type = struct(field("minValues", struct(field("list", list), field("bin", "binary"), field("x", "long"))));
  expect(textsOf(type, [{ minValues: { list: [1n], bin: new Uint8Array(1), x: 2n } }])).toEqual([
    '{"minValues":{"x":2}}',
  ]);
  expect(textsOf("long", [1n, null])).toEqual([null, null]);
});

const schema: StructType = { type: "struct", fields: [field("id", "long"), field("day", "date")] };
const bounds = struct(...schema.fields);
const counts = struct(field("id", "long"), field("day", "long"));
const PARSED = struct(
  field("numRecords", "long"),
  field("minValues", bounds),
  field("maxValues", bounds),
  field("nullCount", counts),
);

/** A checkpoint's columns with `stats_parsed`, and with `stats` or without. */
function fieldsWith(withText: boolean): StructField[] {
  return checkpointFields({ withStats: withText }).map((column) => {
    if (column.name !== "add") return column;
    return { ...column, type: struct(...(column.type as StructType).fields, field("stats_parsed", PARSED)) };
  });
}

function file(path: string, id: number, more: object = {}): Action {
  const stats_parsed = {
    numRecords: 10,
    minValues: { id, day: "2024-01-01" },
    maxValues: { id: id + 9, day: null },
    nullCount: { id: 0, day: 10 },
  };
  return add(path, { dataChange: false, ...{ stats_parsed }, ...more });
}

const JSON_OF_20 =
  '{"numRecords":10,"minValues":{"id":20,"day":"2024-01-01"},"maxValues":{"id":29},"nullCount":{"id":0,"day":10}}';

// [R-CKPT-10]
test.each([
  ["without the column of texts", false],
  ["with a column of texts that is null throughout", true],
])("a checkpoint %s skips and counts by its structs", async (_, withText) => {
  const store = memoryStore();
  const actions = [PROTOCOL, metaData({}, JSON.stringify(schema)), file("a", 10), file("b", 20), remove("old")];
  await store.put(classicCheckpointPath(4), await parquetOf(actions, fieldsWith(withText)));
  const snapshot = await loadSnapshot(store);
  const files = await listFiles(snapshot);
  expect(files.map(({ numRecords }) => numRecords)).toEqual([10, 10]);
  expect(files[1]!.stats).toBe(JSON_OF_20);
  const planned: unknown[] = [];
  for await (const { path, match } of planFiles(snapshot, { predicate: { op: ">=", column: ["id"], value: 20n } })) {
    planned.push([path, match]);
  }
  expect(planned).toEqual([["b", "all"]]);
});

test("texts are taken where a checkpoint has both", async () => {
  const store = memoryStore();
  const actions = [PROTOCOL, metaData({}, JSON.stringify(schema)), file("a", 10, { stats: '{"numRecords":3}' })];
  await store.put(classicCheckpointPath(4), await parquetOf(actions, fieldsWith(true)));
  const [only] = await listFiles(await loadSnapshot(store));
  expect(only).toMatchObject({ stats: '{"numRecords":3}', numRecords: 3 });
});
