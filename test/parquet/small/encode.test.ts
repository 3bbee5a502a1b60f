import assert from "node:assert/strict";
import { Field, Int64, List, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { toArrowSchema } from "#src/arrow/schema.js";
import { sliceBatch } from "#src/arrow/take.js";
import { encodeSmall } from "#src/parquet/small/encode.js";
import { encodeParquet } from "#src/parquet/write.js";
import type { StructType } from "#src/schema/types.js";
import { schemas, values } from "../../arrow/arbitrary.js";
import fc from "../../fastCheck.js";
import { read } from "../fixtures.js";

const tables = schemas.chain((schema) =>
  fc.record({
    schema: fc.constant(schema),
    rows: fc.array(values(schema, false) as fc.Arbitrary<object>, { minLength: 1, maxLength: 30 }),
    cuts: fc.array(fc.nat(30), { maxLength: 3 }),
    compression: fc.constantFrom("snappy" as const, "uncompressed" as const),
  }),
);

const column = (type: StructType["fields"][number]["type"]): StructType => ({
  type: "struct",
  fields: [{ name: "c", type, nullable: true, metadata: {} }],
});

describe("encodeSmall", () => {
  it("writes any batches so that the decoder gives their rows back, slices and empty ones among them", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ schema, rows, cuts, compression }) => {
        const whole = buildBatch(schema, rows, 0);
        const borders = [0, ...cuts.map((cut) => Math.min(cut, rows.length)).sort((a, b) => a - b), rows.length];
        const slices = borders.slice(1).map((end, i) => sliceBatch(whole, borders[i]!, end));
        for (const batches of [[whole], slices]) {
          const file = encodeSmall(batches, compression)!;
          const decoded = (await read(file)).map((batch) => conformBatch(batch, schema));
          assert.deepEqual(decoded.flatMap(rowReader(schema)), batches.flatMap(rowReader(schema)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("describes columns as the large encoder does", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ schema, rows }) => {
        const batch = buildBatch(schema, rows, 0);
        const large = await encodeParquet([batch], { compression: "zstd" });
        const of = (file: Uint8Array<ArrayBuffer>) => parquetMetadata(file.buffer).schema;
        assert.deepEqual(of(encodeSmall([batch], "snappy")!), of(large.bytes));
      }),
      { numRuns: 100 },
    );
  });

  it("describes decimals of every precision as the large encoder does", async () => {
    const fields = Array.from({ length: 38 }, (_, i) => ({
      name: `d${i + 1}`,
      type: `decimal(${i + 1},0)` as const,
      nullable: true,
      metadata: {},
    }));
    const batch = buildBatch(
      { type: "struct", fields },
      [Object.fromEntries(fields.map(({ name }) => [name, "-7"]))],
      0,
    );
    const large = await encodeParquet([batch], { compression: "zstd" });
    const of = (file: Uint8Array<ArrayBuffer>) => parquetMetadata(file.buffer).schema;
    expect(of(encodeSmall([batch], "snappy")!)).toEqual(of(large.bytes));
  });

  it("keeps long lists of long lists, whose levels are packed", async () => {
    const schema = column({
      type: "array",
      containsNull: true,
      elementType: { type: "array", elementType: "integer", containsNull: true },
    });
    const rows = Array.from({ length: 200 }, (_, i) => ({
      c:
        i % 5 === 0
          ? null
          : Array.from({ length: i % 7 }, (_, k) => (k % 3 === 1 ? null : [i, null, k].slice(0, k % 4))),
    }));
    const batch = buildBatch(schema, rows, 0);
    const decoded = (await read(encodeSmall([batch], "snappy")!)).map((part) => conformBatch(part, schema));
    expect(decoded.flatMap(rowReader(schema))).toEqual(rows);
  });

  it("leaves more than 256 KiB, and types that tables don't have, to the large encoder", () => {
    const text = column("string");
    const some = (bytes: number) => buildBatch(text, [{ c: "x".repeat(bytes) }], 0);
    expect(encodeSmall([some(250 * 1024)], "snappy")).toBeInstanceOf(Uint8Array);
    expect(encodeSmall([some(250 * 1024), some(10 * 1024)], "snappy")).toBeUndefined();
    expect(
      encodeSmall([new RecordBatch({ n: makeData({ type: new Int64(), data: new BigInt64Array([1n]) }) })], "snappy"),
    ).toBeInstanceOf(Uint8Array);
  });

  it("shrinks what repeats, and leaves what doesn't as it is", async () => {
    const batch = buildBatch(
      column("string"),
      Array.from({ length: 1000 }, () => ({ c: "the same again and again" })),
      0,
    );
    const [snappy, plain] = (["snappy", "uncompressed"] as const).map((codec) => encodeSmall([batch], codec)!);
    expect(snappy!.length).toBeLessThan(plain!.length / 10);
    const codecOf = (file: Uint8Array<ArrayBuffer>) =>
      parquetMetadata(file.buffer).row_groups[0]!.columns[0]!.meta_data!.codec;
    expect(codecOf(snappy!)).toBe("SNAPPY");
    expect(codecOf(encodeSmall([buildBatch(column("long"), [{ c: 1n }], 0)], "snappy")!)).toBe("UNCOMPRESSED");
  });

  it("keeps field ids", () => {
    const [field] = toArrowSchema(column("long")).fields;
    const withId = new Field("c", field!.type, true, new Map([["PARQUET:field_id", "7"]]));
    const nested = new Field("s", new Struct([withId]), true, new Map([["PARQUET:field_id", "8"]]));
    const list = new Field("l", new List(withId), true);
    const { batches } = { batches: [buildBatch(column("long"), [{ c: 1n }], 0)] };
    const data = batches[0]!.data.children[0]!;
    const struct = makeData({ type: nested.type as Struct, children: [data], length: 1, nullCount: 0 });
    const listed = makeData({
      type: list.type as List,
      valueOffsets: Int32Array.of(0, 1),
      child: data,
      length: 1,
      nullCount: 0,
    });
    const schema = new Schema([nested, list]);
    const rows = makeData({ type: new Struct(schema.fields), children: [struct, listed], length: 1, nullCount: 0 });
    const file = encodeSmall([new RecordBatch(schema, rows)], "snappy")!;
    const ids = parquetMetadata(file.buffer).schema.map(({ name, field_id }) => [name, field_id]);
    expect(ids).toEqual([
      ["arrow_schema", undefined],
      ["s", 8],
      ["c", 7],
      ["l", undefined],
      ["list", undefined],
      ["element", 7],
    ]);
  });
});
