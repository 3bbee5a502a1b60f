import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bool, Field, Int32, Int64, List, Map_, Struct, Utf8 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { readFooter } from "#src/parquet/footer.js";
import { readParquet } from "#src/parquet/read.js";
import { expectCode } from "../expectCode.js";
import { encode, fixture, plain, read, storeOf, types, vector } from "./fixtures.js";

// It has no types of its own.
const { ParquetSchema, ParquetWriter } = createRequire(import.meta.url)("parquetjs-lite");

const ROWS = 40_000;
const each = <T>(value: (i: number) => T) => Array.from({ length: ROWS }, (_, i) => value(i));
const struct = new Struct([new Field("x", new Int64(), true), new Field("y", new Utf8(), true)]);

/** Four row groups of five leaves, about 1.3 MB. */
const large = () =>
  encode(
    {
      id: vector(new Int64(), each(BigInt)),
      text: vector(
        new Utf8(),
        each((i) => `text ${i * 7919}`),
      ),
      flag: vector(
        new Bool(),
        each((i) => i % 3 === 0),
      ),
      s: vector(
        struct,
        each((i) => ({ x: BigInt(-i), y: `y ${i}` })),
      ),
    },
    { rowGroupRows: 10_000, compression: "uncompressed" },
  );

describe("readParquet", () => {
  it("brings the bytes of the wanted columns only", async () => {
    const bytes = await large();
    const { store, ranges } = await storeOf(bytes);
    const file = { path: "file", sizeBytes: bytes.length };
    const footer = await readFooter(store, file);
    expect(ranges).toEqual([{ start: bytes.length - 65_536, end: bytes.length }]);
    ranges.length = 0;
    const rows: unknown[] = [];
    for await (const batch of readParquet(store, file, { footer, columns: [["flag"]] })) {
      expect(batch.schema.fields.map((field) => field.name)).toEqual(["flag"]);
      rows.push(...batch.getChild("flag")!);
    }
    expect(rows).toEqual(each((i) => i % 3 === 0));
    const chunks = footer.rowGroups.map((group) => group.chunks[2]!);
    expect(ranges).toEqual(chunks.map(({ start, end }) => ({ start, end })));
  });

  it("joins requests for neighbours", async () => {
    const bytes = await large();
    const { store, ranges } = await storeOf(bytes);
    const file = { path: "file", sizeBytes: bytes.length };
    const footer = await readFooter(store, file);
    ranges.length = 0;
    for await (const _ of readParquet(store, file, { footer, rowGroups: [1, 2] }));
    const start = footer.rowGroups[1]!.chunks[0]!.start;
    expect(ranges).toEqual([{ start, end: footer.rowGroups[2]!.chunks.at(-1)!.end }]);
  });

  it("reads a small file with one request", async () => {
    const bytes = await encode({ id: vector(new Int64(), [1n, 2n]), b: vector(new Int64(), [3n, 4n]) });
    const { store, ranges } = await storeOf(bytes);
    for await (const _ of readParquet(store, { path: "file", sizeBytes: bytes.length }, { columns: [["b"]] }));
    expect(ranges).toEqual([{ start: 0, end: bytes.length }]);
  });

  it("brings a struct's column, or all of the struct", async () => {
    const bytes = await large();
    const [one] = await read(bytes, { columns: [["s", "y"], ["id"]], rowGroups: [3] });
    expect(one!.numRows).toBe(10_000);
    expect(types([one!])).toEqual({ id: "Int64", s: "Struct<{y:Utf8}>" });
    expect(one!.get(5)?.toJSON()).toMatchObject({ id: 30_005n });
    expect(one!.get(5)?.s.toJSON()).toEqual({ y: "y 30005" });
    const [all] = await read(bytes, { columns: [["s"]], rowGroups: [0] });
    expect(types([all!])).toEqual({ s: "Struct<{x:Int64, y:Utf8}>" });
  });

  it("brings all of a list or a map that a path leads into", async () => {
    const entry = new Struct<{ key: Utf8; value: Struct }>([
      new Field("key", new Utf8(), false),
      new Field("value", struct, true),
    ]);
    const bytes = await encode({
      id: vector(new Int32(), [1]),
      list: vector(new List(new Field("item", struct, true)), [[{ x: 1n, y: "a" }]]),
      map: vector(new Map_(new Field("entries", entry, false)), [new Map([["k", { x: 1n, y: "a" }]])]),
    });
    const columns = [
      ["list", "list", "element", "x"],
      ["map", "key_value", "key"],
    ];
    const everything = plain(await read(bytes));
    expect(plain(await read(bytes, { columns }))).toEqual({ list: everything.list, map: everything.map });
  });

  it("[R-FILE-9] leaves out columns that the file lacks", async () => {
    const bytes = await encode({ id: vector(new Int64(), [1n, 2n]), s: vector(struct, [{ x: 1n, y: "" }, null]) });
    expect(plain(await read(bytes, { columns: [["nothing"], ["id"], ["s", "z"], ["id", "x"]] }))).toEqual({
      id: [1n, 2n],
    });
  });

  it("counts rows where no column is wanted or there", async () => {
    const bytes = await large();
    for (const columns of [[], [["nothing"]]]) {
      const batches = await read(bytes, { columns, rowGroups: [0, 2] });
      expect(batches.map((batch) => [batch.numRows, batch.numCols])).toEqual([
        [10_000, 0],
        [10_000, 0],
      ]);
    }
  });

  it("reads chosen row groups only, and says which there are", async () => {
    const bytes = await large();
    const ids = (await read(bytes, { rowGroups: [1, 3], columns: [["id"]] })).flatMap((batch) => [
      ...batch.getChild("id")!,
    ]);
    expect([ids.length, ids[0], ids[9_999], ids[10_000], ids[19_999]]).toEqual([
      20_000,
      10_000n,
      19_999n,
      30_000n,
      39_999n,
    ]);
    expect(await read(bytes, { rowGroups: [] })).toEqual([]);
    for (const rowGroups of [[4], [-1], [1, 0], [1, 1], [0.5]]) {
      await expectCode("DELTA_INVALID_ARGUMENT", () => read(bytes, { rowGroups }));
    }
  });

  it("stops its requests when the loop ends early", async () => {
    const bytes = await large();
    const { store, ranges } = await storeOf(bytes);
    const signals: (AbortSignal | undefined)[] = [];
    const get = store.get.bind(store);
    store.get = (path, range, signal) => {
      signals.push(signal);
      return get(path, range, signal);
    };
    for await (const batch of readParquet(store, { path: "file", sizeBytes: bytes.length })) {
      expect(batch.numRows).toBeGreaterThan(0);
      break;
    }
    expect(ranges.length).toBeGreaterThan(1);
    expect(signals.slice(1).every((signal) => signal?.aborted)).toBe(true);
  });

  it("stops with its signal, before and during", async () => {
    const bytes = await encode({ id: vector(new Int32(), new Int32Array(122_881)) });
    await expectCode("DELTA_ABORTED", () => read(bytes, { signal: AbortSignal.abort() }));
    const { store } = await storeOf(bytes);
    const controller = new AbortController();
    const batches = readParquet(store, { path: "file", sizeBytes: bytes.length }, { signal: controller.signal });
    await batches.next();
    controller.abort();
    await expectCode("DELTA_ABORTED", () => batches.next());
  });

  it("[R-PQ-1] gives INT96 as microseconds in UTC on every level, in all years", async () => {
    const micros = [-62135499354321099n, -14831672154321099n, -31438554321099n, 9246279845678901n, 253370862245678901n];
    const [batch] = await read(await fixture("int96"));
    const time = "Timestamp<MICROSECOND, UTC>";
    expect(types([batch!])).toEqual({
      n: "Int32",
      t: time,
      s: `Struct<{a:${time}, b:Int64}>`,
      l: `List<${time}>`,
      m: `Map<{key:Utf8, value:${time}}>`,
    });
    const [, t, s, l, m] = batch!.data.children;
    expect([...t!.values.subarray(0, 5)]).toEqual(micros);
    expect([...s!.children[0]!.values.subarray(0, 5)]).toEqual(micros);
    expect([...l!.children[0]!.values].filter((_, i) => i % 2 === 0).slice(0, 5)).toEqual(micros);
    expect([...m!.children[0]!.children[1]!.values.subarray(0, 5)]).toEqual(micros);
    const [only] = await read(await fixture("int96"), { columns: [["s", "a"]] });
    expect(types([only!])).toEqual({ s: `Struct<{a:${time}}>` });
    expect([...only!.data.children[0]!.children[0]!.values.subarray(0, 5)]).toEqual(micros);
  });

  it("takes types from Parquet's own, not from the Arrow schema a writer left", async () => {
    const batches = await read(await fixture("arrow-types"));
    expect(types(batches)).toEqual({
      large: "Utf8",
      view: "Utf8",
      dict: "Utf8",
      duration: "Int64",
      paris: "Timestamp<MICROSECOND, UTC>",
      ns: "Timestamp<NANOSECOND>",
      ms: "Timestamp<MILLISECOND, UTC>",
      largelist: "List<Int32>",
      dec: "Decimal[38e+2]",
      fixed: "FixedSizeBinary[4]",
      u32: "Uint32",
      time: "Time64<MICROSECOND>",
      half: "Float16",
      nul: "Null",
    });
    expect(plain(batches)).toMatchObject({
      large: ["a", null, "c"],
      view: ["x", "y", null],
      dict: ["u", "u", null],
      duration: [1n, 2n, null],
      largelist: [[1], [], null],
      u32: [0, 2 ** 32 - 1, null],
    });
  });

  it.each(["brotli", "lz4", "zstd"])("reads %s pages of another writer", async (name) => {
    expect(plain(await read(await fixture(name)))).toEqual({
      id: Array.from({ length: 100 }, (_, i) => BigInt(i)),
      s: Array.from({ length: 100 }, (_, i) => `v${i % 7}`),
    });
  });

  it("reads what parquetjs-lite writes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "delta-parquet-"));
    try {
      const path = join(folder, "a.parquet");
      const schema = new ParquetSchema({ id: { type: "INT64" }, name: { type: "UTF8", optional: true } });
      const writer = await ParquetWriter.openFile(schema, path);
      await writer.appendRow({ id: 1, name: "a" });
      await writer.appendRow({ id: 2 });
      await writer.close();
      expect(plain(await read(new Uint8Array(await readFile(path))))).toEqual({ id: [1n, 2n], name: ["a", null] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
