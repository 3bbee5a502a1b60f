import { beforeEach, describe, expect, it } from "vitest";
import { buildColumn } from "#src/arrow/buildColumn.js";
import { makeBatch } from "#src/arrow/column.js";
import { toArrowField } from "#src/arrow/schema.js";
import { takeRows } from "#src/arrow/take.js";
import { ParquetFileWriter } from "#src/parquet/fileWriter.js";
import { readFooter } from "#src/parquet/footer.js";
import { readParquet } from "#src/parquet/read.js";
import { reusePlan } from "#src/parquet/reuse/rowGroup.js";
import { type Compression, encodeParquet } from "#src/parquet/write.js";
import type { StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import fc from "../fastCheck.js";

let store: ObjectStore;
beforeEach(() => {
  store = memoryStore();
});

const optional = (name: string, type: StructField["type"]): StructField => ({
  name,
  type,
  nullable: true,
  metadata: {},
});
const MEMBERS = [
  optional("path", "string"),
  optional("size", "long"),
  optional("count", "integer"),
  optional("flag", "boolean"),
  optional("price", "decimal(30,2)"),
  optional("values", { type: "map", keyType: "string", valueType: "string", valueContainsNull: true }),
  optional("vector", { type: "struct", fields: [optional("kind", "string"), optional("at", "timestamp")] }),
  optional("list", { type: "array", elementType: "integer", containsNull: true }),
];
const FILES = optional("add", { type: "struct", fields: MEMBERS });
const OTHER = optional("txn", { type: "struct", fields: [optional("appId", "string"), optional("version", "long")] });
const NEW_MEMBER = optional("clusteringProvider", "string");

/** Rows of a file that come out of a seed: nulls at each level, values that repeat and values that don't. */
function batchOf(rowCount: number, seed: number) {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  const maybe = <T>(value: () => T) => (next(6) === 0 ? null : value());
  const values = Array.from({ length: rowCount }, (_, row) =>
    maybe(() => ({
      path: maybe(() => `part-${row}-${next(1e6)}`),
      size: maybe(() => BigInt(next(9))),
      count: maybe(() => next(1e6)),
      flag: maybe(() => next(2) === 0),
      price: maybe(() => `${next(1000)}.25`),
      values: maybe(() =>
        Object.fromEntries(Array.from({ length: next(3) }, (_, i) => [`k${i}`, maybe(() => `v${next(4)}`)])),
      ),
      vector: maybe(() => ({ kind: maybe(() => "u"), at: maybe(() => new Date(next(1e6) * 1000)) })),
      list: maybe(() => Array.from({ length: next(4) }, () => maybe(() => next(100)))),
    })),
  );
  const place = { column: "add", rowOf: (row: number) => row };
  const columns = [
    buildColumn(FILES.type, values, place),
    buildColumn(
      OTHER.type,
      values.map(() => ({ appId: "x" })),
      place,
    ),
  ];
  return makeBatch([FILES, OTHER].map(toArrowField), columns, rowCount);
}

async function fileOf(path: string, bytes: Uint8Array) {
  await store.put(path, bytes);
  return { path, sizeBytes: bytes.length };
}

async function rowsOf(path: string, sizeBytes: number): Promise<string[]> {
  const rows: string[] = [];
  for await (const batch of readParquet(store, { path, sizeBytes }, { columns: [["add"]] })) {
    for (const row of batch.getChild("add")!) rows.push(JSON.stringify(row, text));
  }
  return rows;
}

const text = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);

describe("row groups taken over", () => {
  it("have the rows that are left, as decoding them all gives them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom<Compression>("snappy", "gzip", "uncompressed"),
        fc.constantFrom(1, 300, 25_000),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.boolean(),
        async (seed, compression, rowCount, places, withNew) => {
          const batch = batchOf(rowCount, seed);
          const { bytes } = await encodeParquet([batch], { compression, withStatistics: true });
          const footer = await readFooter(store, await fileOf("old", bytes));
          const dropped = new Uint8Array(rowCount);
          if (rowCount > 1) for (const place of places) dropped[place % rowCount] = 1;
          const left = Uint32Array.from([...dropped.keys()].filter((row) => dropped[row] === 0));
          const members = withNew ? [...MEMBERS, NEW_MEMBER] : MEMBERS.slice(1);
          const fields = [{ ...FILES, type: { type: "struct" as const, fields: members } }, OTHER].map(toArrowField);
          const column = batch.data.children[0]!;
          const plan = reusePlan(footer, fields, ["add"])!;
          const group = await plan.rowGroup(store, 0, {
            dropped,
            droppedCount: rowCount - left.length,
            present: (name) =>
              name === "add" ? Uint8Array.from(left, (row) => Number(column.getValid(row))) : undefined,
          });
          const writer = new ParquetFileWriter();
          await writer.add(group!);
          await writer.add(group!);
          const { parts, sizeBytes } = await writer.finish();
          await store.put("new", Buffer.concat(parts));

          const expected = await encodeParquet([takeRows(batch, left)]);
          await store.put("expected", expected.bytes);
          const rows = (await rowsOf("expected", expected.bytes.length)).map((row) => {
            const values = JSON.parse(row);
            if (values === null) return values;
            if (!withNew) delete values.path;
            return withNew ? { ...values, clusteringProvider: null } : values;
          });
          const found = (await rowsOf("new", sizeBytes)).map((row) => JSON.parse(row));
          expect(found).toEqual([...rows, ...rows]);
          const [nulls] = (await readFooter(store, { path: "new", sizeBytes })).rowGroups[0]!.chunks.slice(-2);
          expect(nulls!.nullCount).toBe(left.length);
        },
      ),
      { numRuns: 8 },
    );
  });

  it("aren't where a column has another type, or is required", async () => {
    const { bytes } = await encodeParquet([batchOf(10, 1)], { withStatistics: true });
    const footer = await readFooter(store, await fileOf("old", bytes));
    const planFor = (member: StructField) =>
      reusePlan(footer, [toArrowField(optional("add", { type: "struct", fields: [member] }))], ["add"]);
    expect(planFor(optional("size", "long"))).toBeDefined();
    expect(planFor(optional("size", "integer"))).toBeUndefined();
    expect(planFor(optional("path", "binary"))).toBeUndefined();
    expect(planFor({ ...optional("size", "long"), nullable: false })).toBeUndefined();
  });
});
