import { Buffer } from "node:buffer";
import * as arrow from "apache-arrow";
import { describe, expect, test } from "vitest";
import { withVariantJson } from "#src/arrow/variant/jsonForm.js";
import { sql, Table } from "#src/index.js";
import { readParquet } from "#src/parquet/read.js";
import { encodeParquet } from "#src/parquet/write.js";
import type { StructField, StructType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { storedBatches } from "#src/write/storedBatches.js";
import { binaryColumn, encodeNames, structColumn } from "../arrow/variantBytes.js";
import { expectCode } from "../expectCode.js";

const field = (name: string, type: StructField["type"]): StructField => ({ name, type, nullable: true, metadata: {} });
const struct = (...fields: StructField[]): StructType => ({ type: "struct", fields });
const SCHEMA = struct(field("id", "integer"), field("v", "variant"), field("s", struct(field("w", "variant"))));

const NO_NAMES = encodeNames([]);
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** A value of each type, none of them as it would be made of JSON; null is a column's. */
const BYTES: readonly (string | null)[] = [
  "00",
  null,
  "1c000000000000f03f",
  "38cdcccc3d",
  "180500000000000000",
  "1405000000",
  "200264000000",
  "28000500000000000000000000000000 0000",
  "2c01000000",
  "300000000000000000",
  "340000000000000000",
  "480000000000000000",
  "4c0000000000000000",
  "440000000000000000",
  "3c0100000001",
  `50${"07".repeat(16)}`,
  "4001000000 61",
].map((text) => text?.replaceAll(" ", "") ?? null);

/** Rows of these values, in both columns, numbered from 0 on. */
function rowsOf(values: readonly (string | null)[] = BYTES): arrow.RecordBatch {
  const variants = () => {
    const bytes = values.map((text) => hex(text ?? ""));
    const nulls = values.flatMap((text, i) => (text === null ? [i] : []));
    const metadata = binaryColumn(values.map(() => NO_NAMES));
    return structColumn({ metadata, value: binaryColumn(bytes) }, values.length, nulls);
  };
  const id = arrow.vectorFromArray(
    values.map((_, i) => i),
    new arrow.Int32(),
  ).data[0]!;
  const nested = structColumn({ w: variants() }, values.length);
  const columns = { id, v: variants(), s: nested };
  const fields = Object.entries(columns).map(([name, { type }]) => new arrow.Field(name, type, true));
  const rows = structColumn(columns, values.length);
  return new arrow.RecordBatch(new arrow.Schema(fields), rows as arrow.Data<arrow.Struct>);
}

/** The bytes in the live files' columns `v` and `s.w`, by `id`; they must be the same. */
async function stored(store: ObjectStore): Promise<Record<number, string | null>> {
  const found: Record<number, string | null> = {};
  for await (const batch of Table.open(store)
    .scan({ columns: ["id"] })
    .batches())
    void batch;
  for (const { path, size: sizeBytes } of await Table.open(store).files()) {
    for await (const batch of readParquet(store, { path, sizeBytes })) {
      const [id, v, s] = ["id", "v", "s"].map((name) => batch.getChild(name)!);
      for (let i = 0; i < batch.numRows; i++) {
        const bytes = (value: { value: Uint8Array } | null | undefined) => (value ? hexOf(value.value) : null);
        found[id!.get(i) as number] = bytes(v!.get(i));
        expect(bytes((s!.get(i) as { w: { value: Uint8Array } | null } | null)?.w)).toBe(bytes(v!.get(i)));
      }
    }
  }
  return found;
}

const ALL = Object.fromEntries(BYTES.map((text, id) => [id, text]));
const without = (...ids: number[]) =>
  Object.fromEntries(Object.entries(ALL).filter(([id]) => !ids.includes(Number(id))));

describe.each<[string, Record<string, string>]>([
  ["that copies rows", {}],
  ["with change files", { "delta.enableChangeDataFeed": "true" }],
  ["whose rows are tracked", { "delta.enableRowTracking": "true" }],
])("in a table %s, values keep their types and bytes", (_, properties) => {
  async function make(): Promise<{ store: ObjectStore; table: Table<Record<string, unknown>> }> {
    const store = memoryStore();
    const table = Table.open<Record<string, unknown>>(store);
    await table.create({ schema: SCHEMA, properties });
    await table.append(rowsOf());
    return { store, table };
  }

  test("as they are appended, checkpointed and read by another table", async () => {
    const { store, table } = await make();
    expect(await stored(store)).toEqual(ALL);
    await table.checkpoint();
    const other = memoryStore();
    await Table.open(other).append(Table.open(store));
    expect(await stored(other)).toEqual(ALL);
    expect((await Table.open(other).schema()).fields.map(({ type }) => type)).toEqual(
      SCHEMA.fields.map(({ type }) => type),
    );
    expect((await table.verify()).findings).toEqual([]);
  });

  test("as others are deleted", async () => {
    const { store, table } = await make();
    await table.delete({ id: 3 });
    expect(await stored(store)).toEqual(without(3));
    await table.delete("v is null");
    expect(await stored(store)).toEqual(without(1, 3));
    expect(await table.count({ where: { v: null } })).toBe(0);
  });

  test("as others, or another column, are updated", async () => {
    const { store, table } = await make();
    await table.update({ set: { id: sql`id + 100` }, where: "id >= 10" });
    const moved = Object.fromEntries(
      Object.entries(ALL).map(([id, text]) => [Number(id) >= 10 ? Number(id) + 100 : id, text]),
    );
    expect(await stored(store)).toEqual(moved);
    await table.update({ set: { v: sql`v`, "s.w": null, s: undefined }, where: "id > 200" });
    expect(await stored(store)).toEqual(moved);
  });

  test("as they are merged", async () => {
    const { store, table } = await make();
    const source = memoryStore();
    await Table.open(source).append(rowsOf([BYTES[9]!, null, BYTES[3]!]), { schema: SCHEMA });
    await Table.open(source).update({ set: { id: sql`id + 16` } });
    await table.merge(Table.open(source), {
      on: ["id"],
      whenMatched: [{ update: "*" }],
      whenNotMatched: [{ insert: { id: sql`source.id`, v: sql`source.v`, s: sql`source.s` } }],
      whenNotMatchedBySource: [{ where: "target.id = 5", delete: true }],
    });
    expect(await stored(store)).toEqual({ ...without(5), 16: BYTES[9], 17: null, 18: BYTES[3] });
  });

  test("as files are compacted, ordered and restored", async () => {
    const { store, table } = await make();
    await table.append([{ id: 100 }]);
    await table.optimize();
    expect((await table.files()).length).toBe(1);
    expect(await stored(store)).toEqual({ ...ALL, 100: null });
    await table.optimize({ zOrderBy: ["id"] });
    expect(await stored(store)).toEqual({ ...ALL, 100: null });
    await table.restore(1);
    expect(await stored(store)).toEqual(ALL);
  });

  test("as they are streamed, past functions that see JSON", async () => {
    const { table } = await make();
    const filtered = memoryStore();
    const seen: unknown[] = [];
    const keep = (given: Record<string, unknown>) => seen.push(given.v) > 0;
    await table.stream().filter(keep).toTable(Table.open(filtered), { checkpoint: memoryStore() });
    expect(await stored(filtered)).toEqual(ALL);
    expect(seen.slice(0, 4)).toEqual([null, null, 1, 0.1]);
    const handed = memoryStore();
    const target = Table.open(handed);
    await target.create({ schema: SCHEMA });
    const rows: unknown[] = [];
    await table.stream({ maxFilesPerTrigger: 1 }).forEachBatch(
      async (batch, id) => {
        if (id > 0) return;
        await target.append(batch);
      },
      { checkpoint: memoryStore() },
    );
    await table.stream().forEachBatch(
      async (batch) => {
        for await (const arrowBatch of batch.batches()) rows.push(...arrowBatch.getChild("v")!);
      },
      { checkpoint: memoryStore() },
    );
    expect(await stored(handed)).toEqual(ALL);
    expect(rows.slice(0, 4)).toEqual(["null", null, "1.0", "0.1"]);
  });

  test("as rows are overwritten", async () => {
    const { store, table } = await make();
    await table.overwrite(rowsOf(["0c01"]), { where: "v ->> '$' = '0.1' or id = 0" });
    expect(await stored(store)).toEqual({ ...without(3), 0: "0c01" });
    await table.overwrite(rowsOf());
    expect(await stored(store)).toEqual(ALL);
    await table.overwrite(rowsOf(), { schema: SCHEMA, overwriteSchema: true });
    expect(await stored(store)).toEqual(ALL);
  });
});

describe("rows' values", () => {
  const open = async (properties: Record<string, string> = {}) => {
    const table = Table.open<{ id: number; v: unknown }>(memoryStore());
    await table.create({ schema: { id: "integer", v: "variant" }, properties });
    return table;
  };

  test("become variants, and are read as JSON", async () => {
    const table = await open();
    const values = [1, 2.5, "text", true, null, [1, [null]], { b: 1, a: { c: [] } }, 2n ** 60n];
    await table.append(values.map((v, id) => ({ id, v })));
    expect((await table.toArray()).map(({ v }) => v)).toEqual(values);
    const protocol = (await table.protocol()).features.map(({ name }) => name);
    expect(protocol).toContain("variantType");
    expect(await table.count({ where: { v: null } })).toBe(1);
  });

  test("are set, and made of expressions: a text is a text, JSON is what it says", async () => {
    const table = await open();
    await table.append([1, 2, 3, 4, 5].map((id) => ({ id, v: { n: id } })));
    await table.update({ set: { v: ["set", 1.5] }, where: { id: 1 } });
    await table.update({ set: { v: sql`'{"no": "object"}'` }, where: { id: 2 } });
    await table.update({ set: { v: sql`json_object('was', v, 'half', id / 2.0)` }, where: "v ->> 'n' = '3'" });
    await table.update({ set: { v: sql`v -> 'n'` }, where: { id: 4 } });
    await table.update({ set: { v: sql`null` }, where: { id: 5 } });
    expect((await table.toArray()).sort((a, b) => a.id - b.id).map(({ v }) => v)).toEqual([
      ["set", 1.5],
      '{"no": "object"}',
      { half: 1.5, was: { n: 3 } },
      4,
      null,
    ]);
    await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.update({ set: { v: new Set([1]) } }));
  });

  test("are merged from rows", async () => {
    const table = await open();
    await table.append([{ id: 1, v: { n: 1 } }]);
    await table.merge(
      [
        { id: 1, v: { k: 1 } },
        { id: 2, v: "new" },
      ] as { id: number; v: unknown }[],
      {
        on: "target.id = source.id and source.v is not null",
        whenMatched: [{ where: "target.v ->> 'n' = '1'", update: { v: sql`json_array(target.v -> 'n', source.v)` } }],
        whenNotMatched: [{ insert: "*" }],
      },
    );
    await table.merge(
      [
        { id: 1, v: 0 },
        { id: 3, v: 0 },
      ],
      {
        on: ["id"],
        whenNotMatched: [{ insert: { id: sql`source.id`, v: { fixed: true } } }],
      },
    );
    expect((await table.toArray()).sort((a, b) => a.id - b.id).map(({ v }) => v)).toEqual([
      [1, { k: 1 }],
      "new",
      { fixed: true },
    ]);
  });

  test("come in new columns, and take over those in structs", async () => {
    const table = Table.open<Record<string, unknown>>(memoryStore());
    await table.create({
      schema: { id: "integer", s: { w: "variant" } },
      properties: { "delta.feature.variantType": "supported" },
    });
    await table.append([
      { id: 1, s: { w: new Date(0) } },
      { id: 2, s: null },
    ]);
    const source = Table.open<Record<string, unknown>>(memoryStore());
    await source.append(
      [
        { id: 1, v: new Uint8Array(1) },
        { id: 3, v: [0.5] },
      ],
      { schema: { id: "integer", v: "variant" } },
    );
    await table.merge(source, {
      on: ["id"],
      whenMatched: [{ update: "*" }],
      whenNotMatched: [{ insert: "*" }],
      mergeSchema: true,
    });
    const sorted = async () => (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));
    expect(await sorted()).toEqual([
      { id: 1, s: { w: "1970-01-01T00:00:00.000000Z" }, v: "AA==" },
      { id: 2, s: null, v: null },
      { id: 3, s: null, v: [0.5] },
    ]);
    await table.update({ set: { v: sql`s.w` } });
    const kinds: unknown[] = [];
    for await (const batch of table[storedBatches]()) {
      for (const value of batch.getChild("v")!)
        kinds.push(value && hexOf((value as { value: Uint8Array }).value).slice(0, 2));
    }
    expect(kinds.sort()).toEqual(["30", null, null]);
  });

  test("tell their changes", async () => {
    const table = await open({ "delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "true" });
    await table.append([
      { id: 1, v: { n: 1 } },
      { id: 2, v: "kept" },
    ]);
    await table.update({ set: { v: [2] }, where: { id: 1 } });
    await table.delete({ id: 1 });
    const told = await table.changes({ from: 2 }).toArray();
    expect(told.map(({ v, _change_type: kind }) => [kind, v])).toEqual([
      ["update_preimage", { n: 1 }],
      ["update_postimage", [2]],
      ["delete", [2]],
    ]);
  });

  test("come back from what Arrow reads, and from streams of it", async () => {
    const table = await open();
    await table.append([
      { id: 1, v: { n: 12345678901234567890n } },
      { id: 2, v: "text" },
    ]);
    const copy = await open();
    await copy.append(await table.toArrow());
    await copy.append(table.batches());
    await copy.merge(await table.toArrow(), { on: ["id"], whenMatched: [{ update: "*" }] }).catch(() => undefined);
    expect((await copy.toArray({ where: { id: 1 } })).map(({ v }) => v)).toEqual([
      { n: 12345678901234567890n },
      { n: 12345678901234567890n },
    ]);
    // Of a table that doesn't say so, they are texts.
    const texts = Table.open(memoryStore());
    await texts.append(await table.toArrow());
    expect((await texts.schema()).fields[1]!.type).toBe("string");
    await expectCode("DELTA_SCHEMA_MISMATCH", () => copy.append(texts));
  });

  test("that are no variants are refused with their row", async () => {
    const table = await open();
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () =>
      table.append([
        { id: 1, v: 1 },
        { id: 2, v: () => 1 },
      ]),
    );
    expect(error.data).toMatchObject({ row: 1, column: "v" });
    const damaged = rowsOf(["0c01", "0c"]).select(["id", "v"]);
    const bytes = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () => table.append(damaged));
    expect(bytes.data).toMatchObject({ row: 1, column: "v" });
    expect(await table.count()).toBe(0);
  });

  test("are checked for nulls, defaults and constraints", async () => {
    const table = await open();
    await table.alter.addConstraint("some", "v is not null");
    await table.append([{ id: 1, v: 1 }]);
    const error = await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () => table.append([{ id: 2, v: null }]));
    expect(error.data).toMatchObject({ row: 0, constraint: "some" });
    await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () => table.update({ set: { v: null } }));
    await table.update({ set: { v: 2 } });
    expect(await table.toArray()).toEqual([{ id: 1, v: 2 }]);
    for (const comparison of ["v = v", "v IN ('a')", "length(v) > 0"]) {
      await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => table.alter.addConstraint("compared", comparison));
    }
    const defaulted = (value: string) =>
      struct(field("id", "integer"), { ...field("v", "variant"), metadata: { CURRENT_DEFAULT: value } });
    const other = Table.open<{ id: number; v: unknown }>(memoryStore());
    await expectCode("DELTA_INVALID_EXPRESSION", () =>
      other.append([{ id: 1 }] as never, { schema: defaulted("'text'") }),
    );
    await other.append([{ id: 1 }, { id: 2, v: [2] }] as never, { schema: defaulted("null") });
    expect(await other.toArray()).toEqual([
      { id: 1, v: null },
      { id: 2, v: [2] },
    ]);
  });
});

/** A table of a file that another engine has shredded, and a table's `v` of its rows. */
async function shreddedTable(): Promise<ObjectStore> {
  const store = memoryStore();
  await Table.open(store).create({ schema: { id: "integer", v: "variant" } });
  const column = (type: arrow.DataType, values: readonly unknown[]) =>
    arrow.vectorFromArray(values as never[], type).data[0]!;
  const typed = structColumn({ a: structColumn({ typed_value: column(new arrow.Float32(), [0.5, 1.5]) }, 2) }, 2);
  const names = ["a", "b"].map((name) => encodeNames(["a", name]));
  // The second row has a member b beside that, 7.
  const rest = binaryColumn([null, hex("02010100020c07")]);
  const v = structColumn({ metadata: binaryColumn(names), value: rest, typed_value: typed }, 2);
  const columns = { id: column(new arrow.Int32(), [1, 2]), v };
  const fields = Object.entries(columns).map(([name, { type }]) => new arrow.Field(name, type, true));
  const batch = new arrow.RecordBatch(new arrow.Schema(fields), structColumn(columns, 2) as arrow.Data<arrow.Struct>);
  const { bytes } = await encodeParquet([batch], { compression: "uncompressed" });
  await store.put("shredded.parquet", bytes);
  const added = {
    path: "shredded.parquet",
    partitionValues: {},
    size: bytes.length,
    modificationTime: 1,
    dataChange: true,
  };
  await store.put(`_delta_log/${"1".padStart(20, "0")}.json`, Buffer.from(`${JSON.stringify({ add: added })}\n`));
  return store;
}

describe("a shredded file", () => {
  test("is written anew as bytes, of the types of its columns", async () => {
    const store = await shreddedTable();
    const table = Table.open(store);
    await table.update({ set: { id: sql`id + 1` } });
    expect(await table.toArray()).toEqual([
      { id: 2, v: { a: 0.5 } },
      { id: 3, v: { a: 1.5, b: 7 } },
    ]);
    const [anew] = await table.files();
    const found: string[][] = [];
    for await (const rows of readParquet(store, { path: anew!.path, sizeBytes: anew!.size })) {
      for (const row of rows.getChild("v")!) {
        const { value, metadata } = row as { value: Uint8Array; metadata: Uint8Array };
        found.push([hexOf(value), hexOf(metadata)]);
      }
    }
    expect(found).toEqual([
      ["0201000005380000003f", hexOf(encodeNames(["a", "a"]))],
      ["02020001000507380000c03f0c07", hexOf(encodeNames(["a", "b"]))],
    ]);
  });

  test("that is damaged is told apart, whatever its bytes are", async () => {
    const store = await shreddedTable();
    const sound = await store.get("shredded.parquet");
    let unreadable = 0;
    for (let i = 0; i < 8 * (sound.length - 4); i += 7) {
      const bytes = Uint8Array.from(sound);
      bytes[4 + (i >> 3)]! ^= 1 << (i & 7);
      await store.put("shredded.parquet", bytes);
      try {
        for await (const batch of Table.open(store)[storedBatches]()) withVariantJson(batch);
      } catch (error) {
        unreadable++;
        expect(error).toMatchObject({ code: expect.stringMatching(/^DELTA_(PARQUET_UNREADABLE|SCHEMA_MISMATCH)$/) });
      }
    }
    expect(unreadable).toBeGreaterThan(50);
  });
});

describe("a table's definition", () => {
  const columns = { id: "integer", v: "variant" } as const;

  test("can't be partitioned or clustered by variants, nor have them as keys", async () => {
    const create = (options: object) => Table.open(memoryStore()).create({ schema: columns, ...options });
    await expectCode("DELTA_INVALID_PARTITION_COLUMN", () => create({ partitionBy: ["v"] }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => create({ clusterBy: ["v"] }));
    await expectCode("DELTA_INVALID_SCHEMA", () => create({ schema: { m: { map: ["variant", "integer"] } } }));
  });

  test("needs the feature before it gets such a column", async () => {
    const table = Table.open(memoryStore());
    await table.create({ schema: { id: "integer" } });
    await expectCode("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", () => table.alter.addColumns({ v: "variant" }));
    await table.alter.addFeature("variantType");
    await table.alter.addColumns({ v: "variant" });
    await table.append([{ id: 1, v: [1] }]);
    expect(await table.toArray()).toEqual([{ id: 1, v: [1] }]);
  });

  test("of the preview is as good", async () => {
    const table = Table.open(memoryStore());
    await table.create({ schema: { id: "integer" }, properties: { "delta.feature.variantType-preview": "supported" } });
    await table.alter.addColumns({ v: "variant" });
    await table.append([{ id: 1, v: [1] }]);
    expect(await table.toArray()).toEqual([{ id: 1, v: [1] }]);
    expect((await table.protocol()).features.map(({ name }) => name)).not.toContain("variantType");
  });
});
