import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { hasCode } from "#src/errors.js";
import { type LoadOptions, Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA, scratchFolder } from "./loadFixture.js";
import { zipOf } from "./source/pack.js";

const root = await scratchFolder();
const ROWS = 1500;
const GOOD = range(0, ROWS).filter((id) => !isBad(id));
const text = HEADER + csvLines(0, ROWS);

/** Loads with a stop after each commit; how many runs it took. */
async function loadInRuns(table: Table, source: string, options: LoadOptions): Promise<number> {
  for (let runs = 1; ; runs++) {
    const stop = new AbortController();
    const onProgress: LoadOptions["onProgress"] = ({ isCommitted }) => isCommitted && stop.abort();
    try {
      await table.load(source, { ...options, signal: stop.signal, onProgress });
      return runs;
    } catch (error) {
      if (!hasCode(error, "DELTA_ABORTED")) throw error;
    }
  }
}

describe("a load that is stopped after each batch ends the same, of", () => {
  const jsonLines = range(0, ROWS)
    .map((id) => (isBad(id) ? `{"id":${id},"name":"n","v":"x"}` : `{"id":${id},"name":"n\\n${id}","v":${id / 2}}`))
    .join("\n");
  const members = Buffer.concat([text.slice(0, 20_000), text.slice(20_000)].map((part) => gzipSync(part)));
  const cut = HEADER.length + csvLines(0, 700).length;
  const archive = zipOf([
    { name: "a.csv", content: Buffer.from(text.slice(0, cut)) },
    { name: "deep/b.csv", content: Buffer.from(HEADER + text.slice(cut)) },
    { name: "read me", content: Buffer.from("no rows") },
  ]);
  it.each<[string, string, Uint8Array | string]>([
    ["a gzip file", "a.csv.gz", gzipSync(text)],
    ["a gzip file of two members", "b.csv.gz", members],
    ["a zip archive", "c.zip", archive],
    ["tabs", "d.tsv", text.replaceAll(",", "\t")],
    ["JSON lines", "e.jsonl", jsonLines],
    ["JSON lines in gzip", "f.ndjson.gz", gzipSync(jsonLines)],
    ["UTF-16 with a mark", "g.csv", Buffer.from(`\ufeff${text}`, "utf16le")],
  ])("%s", async (_, name, bytes) => {
    const source = join(root, name);
    await writeFile(source, bytes);
    const path = join(root, `${name}.table`);
    const table = Table.open(path);
    expect(await loadInRuns(table, source, { schema: SCHEMA, batchBytes: 8000 })).toBeGreaterThan(3);
    expect(await idsOf(table)).toEqual(GOOD);
    expect(await Table.open(join(path, "_dead_letters")).count()).toBe(ROWS - GOOD.length);
    if (!name.includes("json")) {
      const dead = name === "d.tsv" ? [] : await deadIdsOf(join(path, "_dead_letters"));
      expect(dead).toEqual(name === "d.tsv" ? [] : range(0, ROWS).filter(isBad));
    }
    expect(await table.load(source, { schema: SCHEMA, batchBytes: 8000 })).toMatchObject({ isUpToDate: true });
  });
});

describe("a compressed source", () => {
  it("half read and rewritten is noticed; appended to, it is gone on with", async () => {
    const source = join(root, "grown.csv.gz");
    const options = { schema: SCHEMA, batchBytes: 8000 };
    for (const [index, bytes] of [
      Buffer.concat([gzipSync(text), gzipSync(csvLines(ROWS, ROWS + 100))]),
      gzipSync(text.replace('0,"name', '9,"name')),
    ].entries()) {
      await writeFile(source, gzipSync(text));
      const table = Table.open(join(root, `grown${index}`));
      const stop = new AbortController();
      await expectCode("DELTA_ABORTED", () =>
        table.load(source, { ...options, signal: stop.signal, onProgress: () => stop.abort() }),
      );
      await writeFile(source, bytes);
      if (index === 0) {
        await table.load(source, options);
        expect(await idsOf(table)).toEqual(range(0, ROWS + 100).filter((id) => !isBad(id)));
      } else await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(source, options));
    }
  });

  it("that is damaged stops the load with the batches before in the table", async () => {
    const source = join(root, "damaged.csv.gz");
    const rows = 70_000;
    const wide = "x".repeat(70);
    const whole = gzipSync(
      HEADER +
        range(0, rows)
          .map((id) => `${id},${wide}${id},1\n`)
          .join(""),
    );
    await writeFile(source, whole.subarray(0, whole.length - 500));
    const table = Table.open(join(root, "damaged"));
    const options = { schema: SCHEMA, batchBytes: 1_000_000 };
    await expectCode("DELTA_INPUT_UNREADABLE", () => table.load(source, options));
    const before = await idsOf(table);
    expect(before.length).toBeGreaterThan(10_000);
    expect(before).toEqual(range(0, before.length));
    await writeFile(source, whole);
    await table.load(source, options);
    expect(await idsOf(table)).toEqual(range(0, rows));
  });
});

describe("files in several formats", () => {
  it("are loaded into one table", async () => {
    const folder = join(root, "mixed");
    mkdirSync(folder);
    await writeFile(join(folder, "a.csv"), "id,name\n1,a\n");
    await writeFile(join(folder, "b.jsonl"), '{"name":"b","id":2}\n');
    await writeFile(join(folder, "c.tsv"), "name\tid\nc\t3\n");
    await writeFile(join(folder, "d.csv.gz"), gzipSync("id,name\n4,d\n"));
    const table = Table.open(join(root, "mixed.table"));
    expect(await table.load(folder)).toMatchObject({ batches: 1, rowsLoaded: 4, filesDone: 4 });
    expect((await table.toArray()).map(({ id, name }) => `${id}${name}`).sort()).toEqual(["1a", "2b", "3c", "4d"]);
  });
});

it("takes a record for bad that has a value of another type within an array, in CSV", async () => {
  const source = join(root, "nested.csv");
  await writeFile(source, 'id,tags\n1,"[1,2]"\n2,"[""x""]"\n3,no\n');
  const table = Table.open(join(root, "nested"));
  const schema = { id: "long", tags: ["long"] } as const;
  expect(await table.load(source, { schema })).toMatchObject({ rowsLoaded: 1, rowsDead: 2 });
  const letters = await Table.open(join(root, "nested/_dead_letters")).toArray({
    columns: ["record", "column", "code"],
  });
  expect(letters).toEqual([1n, 2n].map((record) => ({ record, column: "tags", code: "TYPE" })));
});
