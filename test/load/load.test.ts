import { appendFile, rm, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type LoadProgress, Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA, scratchFolder, write } from "./loadFixture.js";

const root = await scratchFolder();
let folders = 0;
const folder = () => join(root, String(folders++));
const good = (from: number, to: number) => range(from, to).filter((id) => !isBad(id));
const bad = (from: number, to: number) => range(from, to).filter(isBad);

describe("a load", () => {
  it("loads a file in batches, each with its books, and its bad records as dead letters", async () => {
    const at = folder();
    const file = await write(join(at, "src/a.csv"), HEADER + csvLines(0, 3000));
    const table = Table.open(join(at, "t"));
    const told: LoadProgress[] = [];
    const result = await table.load(file, { schema: SCHEMA, batchBytes: 10_000, onProgress: (one) => told.push(one) });
    expect(result).toMatchObject({
      rowsRead: 3000,
      rowsLoaded: good(0, 3000).length,
      rowsDead: bad(0, 3000).length,
      rowsFiltered: 0,
      filesDone: 1,
      isUpToDate: false,
      deadLetters: join(at, "t/_dead_letters"),
      job: expect.stringMatching(/^a\.csv-[0-9a-f]{12}$/),
    });
    expect(result.batches).toBeGreaterThan(3);
    expect(await idsOf(table)).toEqual(good(0, 3000));
    expect(await deadIdsOf(join(at, "t/_dead_letters"))).toEqual(bad(0, 3000));
    const history = await table.history();
    expect(history).toHaveLength(result.batches);
    const sum = (name: string) => history.reduce((total, one) => total + Number(one.operationMetrics[name]), 0);
    for (const { operation, operationMetrics } of history) {
      expect(operation).toBe("LOAD");
      const [read, loaded, dead, filtered] = ["rowsRead", "rowsLoaded", "rowsDead", "rowsFiltered"].map((name) =>
        Number(operationMetrics[name]),
      );
      expect(read).toBe(loaded! + dead! + filtered!);
    }
    expect([sum("rowsRead"), sum("rowsDead"), sum("numOutputRows")]).toEqual([
      3000,
      bad(0, 3000).length,
      good(0, 3000).length,
    ]);
    expect(told.filter(({ isCommitted }) => isCommitted)).toHaveLength(result.batches);
    expect(told.at(-1)).toMatchObject({ rowsRead: 3000, filesDone: 1, filesTotal: 1, isCommitted: true });
    expect(told.at(-1)!.bytesRead).toBe(told.at(-1)!.bytesTotal! - HEADER.length);
  });

  it("that is finished does nothing when it is run again, and says so", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 100));
    const table = Table.open(join(at, "t"));
    const first = await table.load(file, { schema: SCHEMA });
    const again = await Table.open(join(at, "t")).load(file, { schema: SCHEMA });
    expect(again).toMatchObject({ isUpToDate: true, batches: 0, rowsRead: 0, version: first.version, job: first.job });
    expect(await table.version()).toBe(first.version);
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.checkpointed(first.job).offset());
    expect(await table.verify()).toMatchObject({ ok: true, findings: [], orphans: { files: 0 } });
  });

  it("goes on after it was stopped at any batch, and ends as if it hadn't been", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 2000));
    const options = { schema: SCHEMA, batchBytes: 6000 };
    const table = Table.open(join(at, "t"));
    let read = 0;
    for (let run = 0; ; run++) {
      const stop = new AbortController();
      const onProgress = ({ isCommitted }: LoadProgress) => isCommitted && stop.abort();
      try {
        const { rowsRead } = await table.load(file, { ...options, signal: stop.signal, onProgress });
        expect(run).toBeGreaterThan(3);
        read += rowsRead;
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: "DELTA_ABORTED", data: { version: run } });
        read += (error as { data: { rowsRead: number } }).data.rowsRead;
      }
    }
    expect(read).toBe(2000);
    expect(await idsOf(table)).toEqual(good(0, 2000));
    expect(await deadIdsOf(join(at, "t/_dead_letters"))).toEqual(bad(0, 2000));
  });

  it("that is stopped before it began commits nothing", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 10));
    await expectCode("DELTA_ABORTED", () => Table.open(join(at, "t")).load(file, { signal: AbortSignal.abort() }));
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(join(at, "t")).version());
  });

  it("goes on beside commits of others, and in partitions", async () => {
    const at = folder();
    const file = await write(
      join(at, "a.csv"),
      `id,name,v\n${range(0, 900)
        .map((id) => `${id},p${id % 3},1\n`)
        .join("")}`,
    );
    const table = Table.open(join(at, "t"));
    let others = 0;
    const onProgress = async ({ isCommitted }: LoadProgress) => {
      if (isCommitted) await Table.open(join(at, "t")).append([{ id: BigInt(10_000 + others++), name: "p0", v: 1 }]);
    };
    const waits: Promise<void>[] = [];
    const result = await table.load(file, {
      schema: SCHEMA,
      partitionBy: ["name"],
      batchBytes: 1500,
      onProgress: (one) => void waits.push(onProgress(one)),
    });
    await Promise.all(waits);
    expect(result.batches).toBeGreaterThan(3);
    expect(await idsOf(table)).toEqual([...range(0, 900), ...range(10_000, 10_000 + others)]);
    expect(await table.count({ where: { name: "p1" } })).toBe(300);
  });

  it("counts rows that it isn't to keep", async () => {
    const at = folder();
    const file = await write(join(at, "a.csv"), HEADER + csvLines(0, 1000));
    const table = Table.open(join(at, "t"));
    const result = await table.load(file, { schema: SCHEMA, where: { id: { lt: 500n } } });
    expect(result).toMatchObject({ rowsRead: 1000, rowsDead: bad(0, 1000).length, rowsLoaded: good(0, 500).length });
    expect(result.rowsFiltered).toBe(good(500, 1000).length);
    expect(await idsOf(table)).toEqual(good(0, 500));
    await expectCode("DELTA_LOAD_OPTIONS_CHANGED", () => table.load(file, { where: { id: { lt: 501n } } }));
  });

  it("reads a stream from where it was, and what is new of it", async () => {
    const at = folder();
    const table = Table.open(join(at, "t"));
    const text = HEADER + csvLines(0, 1000);
    const options = { job: "piped", format: "csv", schema: SCHEMA, batchBytes: 5000 } as const;
    const stdin = (what: string) => ({ stdin: Readable.from([Buffer.from(what)]), name: "stdin" });
    const stop = new AbortController();
    await expectCode("DELTA_ABORTED", () =>
      table.load(stdin(text), { ...options, signal: stop.signal, onProgress: () => stop.abort() }),
    );
    await table.load(stdin(text), options);
    expect(await idsOf(table)).toEqual(good(0, 1000));
    expect(await table.load(stdin(text), options)).toMatchObject({ isUpToDate: true });
    await table.load(stdin(text + csvLines(1000, 1100)), options);
    expect(await idsOf(table)).toEqual(good(0, 1100));
    await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(stdin(`${HEADER}7,a,1\n`), options));
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.load(stdin(text), { format: "csv" }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.load(stdin(text), { job: "without a format" }));
  });

  it("refuses options that make no sense", async () => {
    const table = Table.open("memory:");
    for (const options of [{ batchBytes: 0 }, { maxBadRecords: -1 }, { maxBadRatio: 1.5 }, { job: "" }]) {
      await expectCode("DELTA_INVALID_ARGUMENT", () => table.load("a.csv", options));
    }
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.load([]));
    await expectCode("DELTA_FILE_NOT_FOUND", () => table.load(join(root, "nowhere.csv")));
  });
});

describe("a load of a folder", () => {
  it("loads each file once, new ones the next time, small ones many to a commit", async () => {
    const at = folder();
    for (const day of range(0, 100)) {
      await write(join(at, `src/${String(day).padStart(4, "0")}.csv`), HEADER + csvLines(day * 10, day * 10 + 10));
    }
    const table = Table.open(join(at, "t"));
    const first = await table.load(join(at, "src"), { schema: SCHEMA });
    expect(first).toMatchObject({ batches: 1, filesDone: 100, rowsRead: 1000 });
    expect(await idsOf(table)).toEqual(good(0, 1000));
    await write(join(at, "src/0002b.csv"), HEADER + csvLines(1000, 1010));
    await write(join(at, "src/empty.csv"), "");
    await write(join(at, "src/notes.txt"), "no rows");
    const second = await table.load(join(at, "src"), { schema: SCHEMA });
    expect(second).toMatchObject({ batches: 1, filesDone: 2, rowsRead: 10, filesSkipped: 1, job: first.job });
    expect(await table.load(join(at, "src"), { schema: SCHEMA })).toMatchObject({ isUpToDate: true });
    expect(await idsOf(table)).toEqual(good(0, 1010));
  });

  it("stopped within a file reads that one on first, though a new one comes before it", async () => {
    const at = folder();
    await write(join(at, "src/b.csv"), HEADER + csvLines(0, 1000));
    const table = Table.open(join(at, "t"));
    const stop = new AbortController();
    const options = { schema: SCHEMA, batchBytes: 5000 };
    await expectCode("DELTA_ABORTED", () =>
      table.load(join(at, "src"), { ...options, signal: stop.signal, onProgress: () => stop.abort() }),
    );
    await write(join(at, "src/a.csv"), HEADER + csvLines(1000, 2000));
    await table.load(join(at, "src"), options);
    expect(await idsOf(table)).toEqual(good(0, 2000));
    expect(await table.load(join(at, "src"), options)).toMatchObject({ isUpToDate: true });
  });

  it("makes no table of nothing", async () => {
    const at = folder();
    await write(join(at, "src/a.csv"), "");
    const table = Table.open(join(at, "t"));
    expect(await table.load(join(at, "src"))).toMatchObject({ isUpToDate: true, version: undefined });
  });

  it("adds columns of later files where it may, else refuses them before it reads", async () => {
    const at = folder();
    await write(join(at, "src/a.csv"), "id,name\n1,a\n");
    await write(join(at, "src/b.csv"), "id,name,v\n2,b,2.5\n");
    await write(join(at, "src/c.csv"), "v,id\n3.5,3\n");
    const { data } = await expectCode("DELTA_SCHEMA_MISMATCH", () =>
      Table.open(join(at, "t0")).load(join(at, "src"), { schema: { id: "long", name: "string" } }),
    );
    expect(data).toMatchObject({ columns: ["v"], file: join(at, "src/b.csv") });
    const table = Table.open(join(at, "t"));
    const result = await table.load(join(at, "src"), { mergeSchema: true });
    expect(result).toMatchObject({ rowsLoaded: 3, batches: 2 });
    expect((await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id))).toEqual([
      { id: 1n, name: "a", v: null },
      { id: 2n, name: "b", v: 2.5 },
      { id: 3n, name: null, v: 3.5 },
    ]);
  });

  it("forgets old files by the table's property, and doesn't load them again", async () => {
    const at = folder();
    const properties = { "deltaTable.loadRetentionDuration": "interval 30 days" };
    const old = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    for (const name of ["a", "b"]) {
      const path = await write(join(at, `src/${name}.csv`), `id\n${name === "a" ? 1 : 2}\n`);
      if (name === "a") await utimes(path, old, old);
    }
    const table = Table.open(join(at, "t"));
    await table.load(join(at, "src"), { properties });
    expect(await idsOf(table)).toEqual([1, 2]);
    expect(await table.load(join(at, "src"))).toMatchObject({ isUpToDate: true });
    const late = await write(join(at, "src/c.csv"), "id\n3\n");
    await utimes(late, old, old);
    expect(await table.load(join(at, "src"))).toMatchObject({ isUpToDate: true });
    await write(join(at, "src/d.csv"), "id\n4\n");
    await table.load(join(at, "src"));
    expect(await idsOf(table)).toEqual([1, 2, 4]);
    await expectCode("DELTA_INVALID_PROPERTY_VALUE", () =>
      Table.open(join(at, "t2")).load(join(at, "src"), { properties: { "deltaTable.loadRetentionDuration": "soon" } }),
    );
  });
});

describe("too many bad records", () => {
  const at = folder();
  const lines = (bads: number, goods: number) =>
    `${HEADER}${range(0, goods)
      .map((id) => `${id},a,1\n`)
      .join("")}${range(0, bads)
      .map((id) => `${id},a,x\n`)
      .join("")}`;

  it("stop the load before the batch that has them, however often it is run", async () => {
    const file = await write(join(at, "src/a.csv"), HEADER + csvLines(0, 2000));
    const table = Table.open(join(at, "t"));
    const options = { schema: SCHEMA, batchBytes: 5000, maxBadRecords: 10 };
    const { data } = await expectCode("DELTA_LOAD_TOO_MANY_BAD_RECORDS", () => table.load(file, options));
    expect(data.rowsDead).toBe(11);
    expect((data.first as { raw: string }[])[0]!.raw).toMatch(/,x$/);
    const before = await idsOf(table);
    expect(before).toEqual(good(0, 2000).slice(0, before.length));
    expect((await deadIdsOf(join(at, "t/_dead_letters"))).length).toBeLessThanOrEqual(10);
    await expectCode("DELTA_LOAD_TOO_MANY_BAD_RECORDS", () => table.load(file, options));
    await table.load(file, { ...options, maxBadRecords: 21 });
    expect(await idsOf(table)).toEqual(good(0, 2000));
    expect(await deadIdsOf(join(at, "t/_dead_letters"))).toEqual(bad(0, 2000));
  });

  it("are counted anew once a load was finished", async () => {
    await write(join(at, "days/1.csv"), lines(2, 5));
    const table = Table.open(join(at, "t2"));
    const options = { schema: SCHEMA, maxBadRecords: 2 };
    await table.load(join(at, "days"), options);
    await write(join(at, "days/2.csv"), lines(2, 5));
    expect(await table.load(join(at, "days"), options)).toMatchObject({ rowsDead: 2 });
  });

  it("are a share of all where that is asked, and by default more than half of more than 1,000", async () => {
    const table = Table.open(join(at, "t3"));
    const half = await write(join(at, "half.csv"), lines(10, 10));
    await expectCode("DELTA_LOAD_TOO_MANY_BAD_RECORDS", () => table.load(half, { schema: SCHEMA, maxBadRatio: 0.49 }));
    await table.load(half, { schema: SCHEMA, maxBadRatio: 0.5 });
    const most = await write(join(at, "most.csv"), lines(1001, 1000));
    await expectCode("DELTA_LOAD_TOO_MANY_BAD_RECORDS", () => table.load(most, { schema: SCHEMA }));
    await table.load(most, { schema: SCHEMA, maxBadRecords: 1001 });
    const few = await write(join(at, "few.csv"), lines(1000, 10));
    await table.load(few, { schema: SCHEMA });
    expect(await table.count()).toBe(1020);
  });

  it("is one, where no dead letters are kept", async () => {
    const table = Table.open(join(at, "t4"));
    const file = await write(join(at, "one.csv"), lines(1, 5));
    await expectCode("DELTA_LOAD_TOO_MANY_BAD_RECORDS", () => table.load(file, { schema: SCHEMA, deadLetters: false }));
    await expectCode("DELTA_TABLE_NOT_FOUND", () => table.version());
  });
});

describe("a source that changed", () => {
  const text = HEADER + csvLines(0, 1000);
  const options = { schema: SCHEMA, batchBytes: 5000 };

  /** A file and a table that has a part of it. */
  async function halfLoaded() {
    const at = folder();
    const file = await write(join(at, "src/a.csv"), text);
    const table = Table.open(join(at, "t"));
    const stop = new AbortController();
    await expectCode("DELTA_ABORTED", () =>
      table.load(file, { ...options, signal: stop.signal, onProgress: () => stop.abort() }),
    );
    return { at, file, table };
  }

  it("half read: is gone on with where only something was appended", async () => {
    const { file, table } = await halfLoaded();
    await appendFile(file, csvLines(1000, 1200));
    await table.load(file, options);
    expect(await idsOf(table)).toEqual(good(0, 1200));
  });

  it("half read: is gone on with where it was only touched", async () => {
    const { file, table } = await halfLoaded();
    await utimes(file, 1, 1);
    await table.load(file, options);
    expect(await idsOf(table)).toEqual(good(0, 1000));
  });

  it("half read: shrunk, replaced or gone is an error, of which there are three ways on", async () => {
    for (const change of [
      (file: string) => truncate(file, 100),
      (file: string) => write(file, text.replace("0,", "9,")),
      (file: string) => rm(file),
    ]) {
      const { at, file, table } = await halfLoaded();
      await write(join(at, "src/b.csv"), `${HEADER}5000,b,1\n`);
      const before = await idsOf(table);
      await change(file);
      const source = join(at, "src/*.csv");
      // The job is that of the file alone.
      const { job } = await table.load(join(at, "src/b.csv"), { job: "other" });
      expect(job).toBe("other");
      const name = (await table.history()).at(-1)!.operationParameters.job as string;
      await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(source, { ...options, job: name }));
      await table.load(source, { ...options, job: name, ignoreChange: true });
      expect(await idsOf(table)).toEqual([...before, 5000, 5000]);
      expect(await table.load(source, { ...options, job: name })).toMatchObject({ isUpToDate: true });
    }
  });

  it("half read and gone, with nothing else to load: once ignored, it is forgotten", async () => {
    const at = folder();
    const table = Table.open(join(at, "t"));
    const source = join(at, "src");
    await write(join(source, "b.csv"), `${HEADER}7000,b,1\n`);
    await table.load(source, options);
    const file = await write(join(source, "a.csv"), text);
    const stop = new AbortController();
    await expectCode("DELTA_ABORTED", () =>
      table.load(source, { ...options, signal: stop.signal, onProgress: () => stop.abort() }),
    );
    await rm(file);
    await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(source, options));
    const ignored = await table.load(source, { ...options, ignoreChange: true });
    expect(ignored).toMatchObject({ batches: 1, rowsRead: 0 });
    expect(await table.load(source, options)).toMatchObject({ isUpToDate: true });
  });

  it("half read and replaced: restart loads it from the beginning, once", async () => {
    const { file, table } = await halfLoaded();
    const before = await idsOf(table);
    await write(file, HEADER + csvLines(2000, 2100));
    await table.load(file, { ...options, restart: true });
    expect(await idsOf(table)).toEqual([...before, ...good(2000, 2100)]);
    expect(await table.load(file, options)).toMatchObject({ isUpToDate: true });
  });

  it("loaded: has its appended records loaded, also where the last one had no line end", async () => {
    const at = folder();
    const table = Table.open(join(at, "t"));
    const file = await write(join(at, "a.csv"), "id\n1\n2");
    await table.load(file);
    await appendFile(file, "\n3\n4\r\n");
    expect(await table.load(file)).toMatchObject({ rowsRead: 2 });
    await appendFile(file, "5");
    await table.load(file);
    await appendFile(file, "\r\n6");
    await table.load(file);
    expect(await idsOf(table)).toEqual([1, 2, 3, 4, 5, 6]);
    await appendFile(file, "7\n");
    await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(file));
    expect(await table.load(file, { ignoreChange: true })).toMatchObject({ rowsRead: 0 });
    expect(await table.load(file)).toMatchObject({ isUpToDate: true });
    await appendFile(file, "8\n");
    await table.load(file);
    expect(await idsOf(table)).toEqual([1, 2, 3, 4, 5, 6, 8]);
  });

  it("loaded: touched is nothing, changed is an error", async () => {
    const at = folder();
    const table = Table.open(join(at, "t"));
    const file = await write(join(at, "a.csv"), "id\n1\n2\n");
    await table.load(file);
    await utimes(file, 1, 1);
    expect(await table.load(file)).toMatchObject({ isUpToDate: true });
    await write(file, "id\n1\n3\n");
    await utimes(file, 2, 2);
    await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(file));
    await write(file, "id\n");
    await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(file));
  });
});

describe("options that changed", () => {
  it("are named; ignoreChange goes on with the job's own, another job begins beside it", async () => {
    const at = folder();
    const table = Table.open(join(at, "t"));
    await write(join(at, "src/1.csv"), "id;name\n1;a\n");
    await table.load(join(at, "src"), { delimiter: ";" });
    await write(join(at, "src/2.csv"), "id;name\n2;b\n");
    const { data } = await expectCode("DELTA_LOAD_OPTIONS_CHANGED", () =>
      table.load(join(at, "src"), { delimiter: ",", nullValues: ["-"] }),
    );
    expect(data.changes).toEqual([
      { option: "delimiter", job: ";", now: "," },
      { option: "nullValues", job: undefined, now: ["-"] },
    ]);
    await table.load(join(at, "src"), { delimiter: ",", ignoreChange: true });
    expect(await idsOf(table)).toEqual([1, 2]);
    await table.load(join(at, "src"), { delimiter: ";", job: "again" });
    expect(await idsOf(table)).toEqual([1, 1, 2, 2]);
  });
});
