import {
  Bool,
  type DataType,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  Map_,
  type RecordBatch,
  Struct,
  TimestampMicrosecond,
  Utf8,
  type Vector,
} from "apache-arrow";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { describe, expect, it } from "vitest";
import { ParquetFileWriter, type ParquetFileWriterOptions } from "#src/parquet/fileWriter.js";
import { encodeParquet } from "#src/parquet/write.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { batchesOf, plain, read, vector } from "./fixtures.js";

const nullable = (name: string, type: DataType) => new Field(name, type, true);
const pairs = new Struct<{ key: DataType; value: DataType }>([
  new Field("key", new Utf8(), false),
  nullable("value", new Int32()),
]);

/** A column of each kind that Parquet writes differently, nulls on every level. */
const TYPES: Record<string, DataType> = {
  long: new Int64(),
  double: new Float64(),
  flag: new Bool(),
  at: new TimestampMicrosecond("UTC"),
  money: new Decimal(2, 20, 128),
  few: new Utf8(),
  unique: new Utf8(),
  list: new List(nullable("item", new Utf8())),
  struct: new Struct([nullable("x", new Int64()), nullable("y", new List(nullable("item", new Int32())))]),
  map: new Map_(new Field("entries", pairs, false), false),
};

const money = (digits: number) => Uint32Array.of(digits, 0, 0, 0);

function valueIn(name: string, seed: number): unknown {
  if (seed % 7 === 0) return null;
  switch (name) {
    case "long":
      return BigInt(seed) * 7919n;
    case "double":
      return seed / 8;
    case "flag":
      return seed % 2 === 0;
    case "at":
      return seed * 1000;
    case "money":
      return money(seed);
    case "few":
      return `value ${seed % 5}`;
    case "unique":
      return `value number ${seed}`;
    case "list":
      return Array.from({ length: seed % 4 }, (_, i) => (i === 2 ? null : `item ${seed + i}`));
    case "struct":
      return { x: seed % 3 === 0 ? null : BigInt(seed), y: seed % 2 === 0 ? null : [seed, null] };
    default:
      return new Map([["k", seed % 3 === 0 ? null : seed]]);
  }
}

/** Batches of these row counts, with values that go on from batch to batch. */
function batches(rowCounts: readonly number[], names = Object.keys(TYPES)): RecordBatch[] {
  let start = 1;
  return rowCounts.map((rows) => {
    const first = start;
    start += rows;
    const columns: Record<string, Vector> = {};
    for (const name of names) {
      // Arrow makes no column of no values.
      const values = Array.from({ length: Math.max(1, rows) }, (_, i) => valueIn(name, first + i));
      columns[name] = vector(TYPES[name]!, values);
    }
    const [batch] = batchesOf(columns);
    return batch!.slice(0, rows);
  });
}

async function write(source: readonly RecordBatch[], options: ParquetFileWriterOptions) {
  const writer = new ParquetFileWriter(options);
  for (const batch of source) await writer.write(batch);
  const { parts, rowCount } = await writer.finish();
  return { bytes: new Uint8Array(Buffer.concat(parts)), rowCount };
}

const rowCountOf = (source: readonly RecordBatch[]) => source.reduce((sum, batch) => sum + batch.numRows, 0);
const groupRows = (bytes: Uint8Array) => parquetMetadata(bytes).row_groups.map((group) => Number(group.num_rows));

describe("ParquetFileWriter", () => {
  it("gives back what was written, however it was cut", async () => {
    const cases = fc.record({
      rowCounts: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 6 }),
      pieceBytes: fc.integer({ min: 1, max: 8000 }),
      rowGroupRows: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
      compression: fc.constantFrom("snappy", "zstd", "gzip", "lz4_raw", "uncompressed"),
      names: fc.subarray(Object.keys(TYPES), { minLength: 1 }),
    } as const);
    await fc.assert(
      fc.asyncProperty(cases, async ({ rowCounts, names, ...options }) => {
        const source = batches(rowCounts, names);
        const { bytes, rowCount } = await write(source, options);
        expect(rowCount).toBe(rowCountOf(source));
        const rows = await read(bytes);
        if (rowCount > 0) expect(plain(rows)).toEqual(plain(source));
        else expect(rows).toEqual([]);
        const metadata = parquetMetadata(bytes);
        expect(Number(metadata.num_rows)).toBe(rowCount);
        expect(metadata.row_groups.map(({ ordinal }) => ordinal)).toEqual(metadata.row_groups.map((_, i) => i));
      }),
      { numRuns: 40 },
    );
  });

  it("makes the very file that the encoder makes of all rows at once", async () => {
    // 45,000 rows in a group have page indexes; the last group hasn't enough rows for them here, and has them there.
    const source = batches([25_000, 25_000, 25_000, 15_000], ["long", "few", "list", "struct"]);
    const options = { rowGroupRows: 45_000, compression: "zstd" } as const;
    const { bytes } = await write(source, options);
    expect(groupRows(bytes)).toEqual([45_000, 45_000]);
    const { bytes: expected } = await encodeParquet(source, options);
    expect(Buffer.compare(bytes, expected)).toBe(0);
  });

  it("keeps each row group's statistics, and says of the file what the encoder says", async () => {
    const source = batches([100, 100, 50], ["long", "few", "struct"]);
    const compression = "zstd";
    const { bytes } = await write(source, { rowGroupRows: 100, compression });
    const metadata = parquetMetadata(bytes);
    const { key_value_metadata, created_by, schema } = parquetMetadata(
      (await encodeParquet(source, { compression })).bytes,
    );
    expect(metadata).toMatchObject({ key_value_metadata, created_by, schema });
    const bounds = metadata.row_groups.map(({ columns }) => columns[0]!.meta_data!.statistics);
    expect(bounds.map((one) => [one?.min_value, one?.max_value, one?.null_count])).toEqual([
      [7919n, 791_900n, 14n],
      [799_819n, 1_583_800n, 14n],
      [1_591_719n, 1_979_750n, 7n],
    ]);
  });

  it("writes a file of one piece as the encoder does", async () => {
    const source = batches([100, 0, 17]);
    const { bytes, rowCount } = await write(source, {});
    expect(rowCount).toBe(117);
    expect(Buffer.compare(bytes, (await encodeParquet(source)).bytes)).toBe(0);
  });

  it("cuts a large batch into row groups of one size", async () => {
    const [batch] = batches([1000], ["long"]);
    const { bytes } = await write([batch!], { pieceBytes: 3000 });
    expect(groupRows(bytes)).toEqual([333, 333, 334]);
  });

  it("says how far it is", async () => {
    const writer = new ParquetFileWriter({ rowGroupRows: 100 });
    const [first, second] = batches([100, 30], ["long"]);
    await writer.write(first!);
    await writer.settle();
    const { encodedArrowBytes, encodedBytes } = writer;
    expect(writer).toMatchObject({ isEncoding: false, pendingBytes: 0, arrowBytes: encodedArrowBytes });
    expect(encodedBytes).toBeGreaterThan(0);
    await writer.write(second!);
    expect(writer.pendingBytes).toBeGreaterThan(0);
    expect(writer).toMatchObject({ encodedBytes, arrowBytes: encodedArrowBytes + writer.pendingBytes });
    await writer.flush();
    expect(writer.pendingBytes).toBe(0);
    expect((await writer.finish()).rowCount).toBe(130);
  });

  it("fails once and for all when a piece does", async () => {
    const [one] = batches([20], ["long"]);
    const [other] = batches([20], ["few"]);
    const writer = new ParquetFileWriter({ rowGroupRows: 30 });
    await writer.write(one!);
    await expectCode("DELTA_INTERNAL", () => writer.write(other!));
    await expectCode("DELTA_INTERNAL", () => writer.settle());
    await expectCode("DELTA_INTERNAL", () => writer.write(one!));
    await expectCode("DELTA_INTERNAL", () => writer.finish());
  });

  it("needs a batch", async () => {
    await expectCode("DELTA_INTERNAL", () => new ParquetFileWriter().finish());
  });

  it("stops with its signal, and others go on", async () => {
    const source = batches([40_000, 40_000, 40_000, 40_000], ["long", "unique"]);
    const controller = new AbortController();
    const stopped = new ParquetFileWriter({ pieceBytes: 1_500_000, signal: controller.signal });
    for (const batch of source) await stopped.write(batch);
    const outcome = expectCode("DELTA_ABORTED", () => stopped.finish());
    controller.abort();
    await outcome;
    await expectCode("DELTA_ABORTED", () => stopped.write(source[0]!));
    expect((await write(source, { pieceBytes: 1_500_000 })).rowCount).toBe(160_000);
  });
});
