import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { streamFolder, Table, type Timestamp } from "#src/index.js";
import { schemaOf } from "#src/schema/literal.js";
import { openStore } from "#src/storage/open.js";
import { expectCode } from "../expectCode.js";
import { Life } from "../stream/dyingStore.js";
import { ids, rows, upTo } from "../stream/streams.js";
import { spark } from "./engines.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-stream-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface SparkStream {
  readonly source?: string;
  readonly source_format?: string;
  readonly schema?: unknown;
  readonly options?: Readonly<Record<string, string>>;
  readonly one_batch?: boolean;
  readonly unique?: readonly string[];
}

async function sparkStreams(options: SparkStream = {}): Promise<string> {
  const places = { source: at("source"), target: at("target"), checkpoint: at("checkpoint") };
  return (await spark()).request<string>("stream", { ...places, ...options });
}

const batchIds = async (log: string) =>
  (await readdir(at(`checkpoint/${log}`))).filter((name) => /^\d+$/.test(name)).map(Number);

describe("a stream from table to table", () => {
  const source = () => Table.open(at("source"));
  const target = () => Table.open(at("target"));
  const streams = (options = {}) =>
    source()
      .stream(options)
      .toTable(target(), { checkpoint: at("checkpoint") });

  test("goes on here where Spark was, and there where it was here", async () => {
    let end = 0;
    const grow = async (count: number) => {
      for (let n = 0; n < count; n++) await source().append(rows(end++, end));
    };
    await grow(3);
    const queryId = await sparkStreams();
    expect(await ids(target())).toEqual(upTo(3));
    for (let round = 0; round < 2; round++) {
      await grow(3);
      expect(await streams({ maxFilesPerTrigger: 2 })).toMatchObject({ queryId, batchCount: 2, rowCount: 3 });
      expect(await streams()).toMatchObject({ batchCount: 0 });
      await grow(2);
      expect(await sparkStreams({ options: { maxFilesPerTrigger: "1" } })).toBe(queryId);
      expect(await ids(target())).toEqual(upTo(end));
    }
    expect(await batchIds("offsets")).toEqual(await batchIds("commits"));
  });

  test("goes on in the middle of the table that it began with, and of a commit", async () => {
    // Commits of several files.
    const parts = (from: number) => upTo(4).map((n) => ({ id: BigInt(from + n), part: `${(7 * n) % 4}` }));
    await source().append(parts(0), { partitionBy: ["part"] });
    await source().append(parts(4));
    await sparkStreams({ one_batch: true, options: { maxFilesPerTrigger: "3" } });
    expect(await target().count()).toBe(3);
    const store = openStore(at("checkpoint"));
    const stopped = new AbortController();
    const first = await source()
      .stream({ maxFilesPerTrigger: 2 })
      .toTable(target(), { checkpoint: store, signal: stopped.signal, onProgress: () => stopped.abort() });
    expect(first).toMatchObject({ batchCount: 1, rowCount: 2, isStopped: true });
    await sparkStreams({ one_batch: true, options: { maxFilesPerTrigger: "1" } });
    expect(await target().count()).toBe(6);
    await source().append(parts(8));
    await streams({ maxFilesPerTrigger: 3 });
    expect(await ids(target())).toEqual(upTo(12));
    await source().append(parts(12));
    await sparkStreams({ one_batch: true, options: { maxFilesPerTrigger: "1" } });
    expect(await target().count()).toBe(13);
    await streams({ maxFilesPerTrigger: 1 });
    expect(await ids(target())).toEqual(upTo(16));
  });

  test("begun here is gone on with in Spark, with each other's batches that a kill left open", async () => {
    await source().append(rows(0, 2));
    const { queryId } = await streams();
    await source().append(rows(2, 4));
    // Planned here, and then killed; Spark makes the batch.
    const life = new Life(0, true);
    const killed = source()
      .stream()
      .toTable(target(), { checkpoint: life.store(openStore(at("checkpoint"))) });
    await expectCode("DELTA_STORAGE_FAILED", () => killed);
    expect([await batchIds("offsets"), await batchIds("commits")]).toEqual([[0, 1], [0]]);
    expect(await sparkStreams()).toBe(queryId);
    expect(await ids(target())).toEqual(upTo(4));
    // As if Spark had been killed after the table's commit, and then before it.
    await source().append(rows(4, 6));
    await sparkStreams();
    await rm(at("checkpoint/commits/2"));
    expect(await streams()).toMatchObject({ batchCount: 1, rowCount: 0 });
    expect(await ids(target())).toEqual(upTo(6));
    const version = await target().version();
    await source().append(rows(6, 8));
    await sparkStreams();
    await rm(at("checkpoint/commits/3"));
    await rm(at("checkpoint/commits/.3.crc"));
    await rm(at(`target/_delta_log/${String(version + 1).padStart(20, "0")}.json`));
    expect(await streams()).toMatchObject({ batchCount: 1, rowCount: 2 });
    expect(await ids(target())).toEqual(upTo(8));
  });

  test("with state is its engine's own", async () => {
    await source().append(rows(0, 2));
    await sparkStreams({ unique: ["id"] });
    await source().append(rows(2, 4));
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => streams());
    const unique = source().stream().dropDuplicates(["id"]);
    await expectCode("DELTA_STREAM_SOURCE_CHANGED", () => unique.toTable(target(), { checkpoint: at("checkpoint") }));
  });
});

describe("a stream of a folder", () => {
  const schema = { id: "long", text: "string" } as const;
  const target = () => Table.open(at("target"));
  const streams = (options = {}) =>
    streamFolder(at("source"), { schema, ...options }).toTable(target(), { checkpoint: at("checkpoint") });
  const csv: SparkStream = { source_format: "csv", schema: schemaOf(schema) };

  test("takes each file once, whoever takes it", async () => {
    // None with brackets: Spark 4.0.1 itself gives a row of their batches twice.
    const names = ["a b.csv", "ü%,=.csv", "plus+&;.csv", "d.csv", "e~'!.csv", "f.csv"];
    let count = 0;
    const drop = async (files: number) => {
      await mkdir(at("source"), { recursive: true });
      for (let n = 0; n < files; n++) {
        const name = at(`source/${Math.floor(count / names.length)}${names[count % names.length]}`);
        await writeFile(name, `id,text\n${count},row ${count}\n`);
        await utimes(name, 1_767_225_600 + count, 1_767_225_600 + count);
        count++;
      }
    };
    const spark = (maxFilesPerTrigger: number) =>
      sparkStreams({ ...csv, options: { header: "true", maxFilesPerTrigger: String(maxFilesPerTrigger) } });
    await drop(6);
    const queryId = await spark(2);
    expect(await ids(target())).toEqual(upTo(6));
    expect(await streams()).toMatchObject({ batchCount: 0, queryId });
    // Past the files that compact the log: 9 and 19.
    await drop(10);
    expect(await streams({ maxFilesPerTrigger: 1 })).toMatchObject({ batchCount: 10, rowCount: 10 });
    expect(await spark(1)).toBe(queryId);
    expect(await ids(target())).toEqual(upTo(16));
    await drop(10);
    await spark(1);
    await drop(2);
    await streams({ maxFilesPerTrigger: 1 });
    await drop(1);
    await spark(1);
    expect((await target().toArray()).map(({ text }) => text).sort()).toEqual(
      upTo(29)
        .map((n) => `row ${n}`)
        .sort(),
    );
    const log = await readFile(at("checkpoint/sources/0/19.compact"), "utf8");
    const logged = log
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line).path as string);
    // Both spell a file alike, which is how Spark knows it again.
    expect(logged.slice(6, 12).map((path) => path.replace("/source/1", "/source/0"))).toEqual(logged.slice(0, 6));
  });

  test("reads the same rows of JSON lines, nested ones and nulls too", async () => {
    const nested = {
      id: "long",
      at: "timestamp",
      tags: ["string"],
      place: { city: "string", floor: "integer" },
    } as const;
    await mkdir(at("source"));
    const drop = async (id: number) => {
      const row = {
        id,
        at: `2026-01-0${id + 1}T00:00:00.123456Z`,
        tags: id % 2 ? null : ["ü", null],
        place: { city: `c${id}` },
      };
      await writeFile(at(`source/${id}.json`), `${JSON.stringify(row)}\n`);
      await utimes(at(`source/${id}.json`), 1_767_225_600 + id, 1_767_225_600 + id);
    };
    const json: SparkStream = { source_format: "json", schema: schemaOf(nested) };
    for (let id = 0; id < 4; id += 2) {
      await drop(id);
      await sparkStreams(json);
      await drop(id + 1);
      await streamFolder(at("source"), { schema: nested }).toTable(target(), { checkpoint: at("checkpoint") });
    }
    const found = (await target().toArray()).sort((a, b) => Number(a.id) - Number(b.id));
    expect(found.map(({ at: time, ...rest }) => ({ ...rest, at: (time as Timestamp).toISOString() }))).toEqual(
      upTo(4).map((id) => ({
        id: BigInt(id),
        at: `2026-01-0${id + 1}T00:00:00.123456Z`,
        tags: id % 2 ? null : ["ü", null],
        place: { city: `c${id}`, floor: null },
      })),
    );
  });
});
