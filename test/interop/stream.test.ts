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

describe("a stream of changes", () => {
  const target = () => Table.open(at("target"));
  const streams = (options = {}) =>
    Table.open(at("source"))
      .stream({ readChangeFeed: true, ...options })
      .toTable(target(), { checkpoint: at("checkpoint") });
  const inSpark = (options: Readonly<Record<string, string>> = {}, more: SparkStream = {}) =>
    sparkStreams({ options: { readChangeFeed: "true", ...options }, ...more });
  const change = async (sql: string) =>
    (await spark()).request("sql", { text: sql.replaceAll("SOURCE", `delta.\`${at("source")}\``) });
  const told = async (table: { toArray(): Promise<Record<string, unknown>[]> }) => {
    const rows = await table.toArray();
    const text = (row: Record<string, unknown>) =>
      `${row._commit_version} ${row._change_type} ${row.id} ${row.value} ${(row._commit_timestamp as Date).toISOString()}`;
    return rows.map(text).sort();
  };

  for (const vectors of [true, false]) {
    test(`goes on here where Spark was, and there where it was here, ${vectors ? "with" : "without"} vectors`, async () => {
      await change(
        `create table SOURCE (id bigint, value string) using delta
         tblproperties ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = '${vectors}')`,
      );
      await change("insert into SOURCE select /*+ repartition(4, id) */ id, concat('v', id) from range(20)");
      const started = { startingVersion: "0" };
      await inSpark({ ...started, maxFilesPerTrigger: "2" }, { one_batch: true });
      const soFar = await target().count();
      expect(soFar).toBeGreaterThan(0);
      expect(soFar).toBeLessThan(20);
      // Here from the middle of a commit.
      await change("update SOURCE set value = 'new' where id < 5");
      await change("delete from SOURCE where id % 3 = 0");
      const { queryId } = await streams({ startingVersion: 0, maxFilesPerTrigger: 1 });
      expect(await told(target())).toEqual(await told(Table.open(at("source")).changes({ from: 0 })));
      await change("insert overwrite SOURCE select id, 'over' from range(3)");
      await change("delete from SOURCE where id = 1");
      expect(await inSpark({ ...started, maxFilesPerTrigger: "1" })).toBe(queryId);
      await change("merge into SOURCE t using (select 2 id) s on t.id = s.id when matched then update set value = 'm'");
      await change("optimize SOURCE");
      expect(await streams({ startingVersion: 0 })).toMatchObject({ queryId });
      expect(await told(target())).toEqual(await told(Table.open(at("source")).changes({ from: 0 })));
    });
  }

  test("begins with the table's rows as inserts, for both", async () => {
    await change(
      `create table SOURCE (id bigint, value string) using delta tblproperties ('delta.enableChangeDataFeed' = 'true')`,
    );
    await change("insert into SOURCE select /*+ repartition(4, id) */ id, 'a' from range(10)");
    await change("delete from SOURCE where id = 4");
    await inSpark({ maxFilesPerTrigger: "2" }, { one_batch: true });
    const first = await told(target());
    await streams({ maxFilesPerTrigger: 1 });
    await change("delete from SOURCE where id = 5");
    await inSpark();
    const all = await told(target());
    expect(all).toEqual(expect.arrayContaining(first));
    expect(all.map((row) => row.split(" ").slice(0, 3).join(" "))).toEqual(
      [...[0, 1, 2, 3, 5, 6, 7, 8, 9].map((id) => `2 insert ${id}`), "3 delete 5"].sort(),
    );
  });

  test("begun here is gone on with in Spark, a batch that was left open too", async () => {
    await change(
      `create table SOURCE (id bigint, value string) using delta tblproperties ('delta.enableChangeDataFeed' = 'true')`,
    );
    await change("insert into SOURCE select id, 'a' from range(6)");
    const { queryId } = await streams({ startingVersion: 0 });
    await change("update SOURCE set value = 'b' where id > 3");
    const life = new Life(0, true);
    const killed = Table.open(at("source"))
      .stream({ readChangeFeed: true, startingVersion: 0 })
      .toTable(target(), { checkpoint: life.store(openStore(at("checkpoint"))) });
    await expectCode("DELTA_STORAGE_FAILED", () => killed);
    expect([await batchIds("offsets"), await batchIds("commits")]).toEqual([[0, 1], [0]]);
    expect(await inSpark({ startingVersion: "0" })).toBe(queryId);
    expect(await told(target())).toEqual(await told(Table.open(at("source")).changes({ from: 0 })));
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
