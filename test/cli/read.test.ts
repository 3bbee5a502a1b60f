import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowReader } from "#src/arrow/rows.js";
import { parseDdl } from "#src/schema/ddl.js";
import { localStore } from "#src/storage/local.js";
import { Table } from "#src/table.js";
import { metaData, putFile, tableOf } from "../read/mappedTable.js";
import { failed, inFolder, objects, ok, run } from "./command.js";

const SCHEMA = parseDdl("id bigint, name string, price decimal(10,2), day date, tags array<string>");
const ROWS = [
  { id: 9007199254740993n, name: "a", price: "12.30", day: new Date("2024-01-31"), tags: ["x", null] },
  { id: 2n, name: 'q"\u001b', price: null, day: null, tags: null },
];
const LINES = [
  '{"id":9007199254740993,"name":"a","price":"12.30","day":"2024-01-31","tags":["x",null]}\n',
  '{"id":2,"name":"q\\"\\u001b","price":null,"day":null,"tags":null}\n',
];

describe("read", () => {
  let T: string;
  let done: () => void;
  let ended: Promise<void>;

  beforeAll(async () => {
    const until = new Promise<void>((resolve) => {
      done = resolve;
    });
    await new Promise<void>((ready) => {
      ended = inFolder(async (folder) => {
        T = join(folder, "t");
        await Table.open(T).append(ROWS.slice(0, 1), { schema: SCHEMA });
        await Table.open(T).append(ROWS.slice(1));
        ready();
        await until;
      });
    });
  });
  afterAll(async () => {
    done();
    await ended;
  });

  it("prints JSON lines where nobody looks", async () => {
    const lines = (await ok(["read", T])).split(/(?<=\n)/);
    expect(new Set(lines)).toEqual(new Set(LINES));
    expect((await ok(["read", T, "--format", "jsonl"])).length).toBe(LINES.join("").length);
  });

  it("reads columns in the order asked, some rows, and the past", async () => {
    expect(await ok(["read", T, "--columns", "name,id", "--where", "id > 2"])).toBe(
      '{"name":"a","id":9007199254740993}\n',
    );
    expect(objects(await ok(["read", T, "--limit", "1"]))).toHaveLength(1);
    expect(await ok(["read", T, "--limit", "0"])).toBe("");
    expect(await ok(["read", T, "--version", "0"])).toBe(LINES[0]);
    const [{ timestamp }] = JSON.parse(await ok(["history", T, "--json", "--version", "0"]));
    expect(await ok(["read", T, "--timestamp", timestamp])).toBe(LINES[0]);
  });

  it("tells row ids of a table that tracks rows", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "tracked");
      const id = { name: "id", type: "long", nullable: true, metadata: {} } as const;
      const configuration = { "delta.enableRowTracking": "true" };
      const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["rowTracking", "domainMetadata"] };
      const store = localStore(path);
      const facts = { baseRowId: 40, defaultRowCommitVersion: 0 };
      const file = await putFile(store, "a.parquet", [id], [{ id: 1n }, { id: 2n }], facts);
      await tableOf(store, [{ protocol }, metaData([id], "none", { configuration }), file]);
      const columns = ["--columns", "id,_metadata.row_id,_metadata.row_commit_version"];
      expect(await ok(["read", path, ...columns, "--where", "id = 2"])).toBe(
        '{"id":2,"_metadata.row_id":41,"_metadata.row_commit_version":0}\n',
      );
    });
  });

  it("prints CSV", async () => {
    const lines = (await ok(["read", T, "--format", "csv"])).split("\n");
    expect(lines[0]).toBe("id,name,price,day,tags");
    expect(new Set(lines.slice(1))).toEqual(
      new Set(['9007199254740993,a,12.30,2024-01-31,"[""x"",null]"', '2,"q""\u001b",,,', ""]),
    );
  });

  it("prints a table with a line about what is missing", async () => {
    const lines = (await ok(["read", T, "--format", "table", "--limit", "1", "--version", "0"])).split("\n");
    expect(lines).toEqual([
      "              id  name  price  day         tags",
      "────────────────  ────  ─────  ──────────  ──────────",
      '9007199254740993  a     12.30  2024-01-31  ["x",null]',
      "1 row",
      "",
    ]);
    const cut = await ok(["read", T, "--format", "table", "--limit", "1"]);
    expect(cut.trimEnd().split("\n").at(-1)).toBe("first 1 row; there are more");
    const all = await ok(["read", T, "--format", "table"]);
    expect(all).toContain('q"\\u001b');
    expect(all).not.toContain("\u001b");
  });

  it("prints an Arrow stream", async () => {
    const { bytes } = await run(["read", T, "--format", "arrow"]);
    const table = tableFromIPC(bytes);
    const rows = table.batches.flatMap((batch) => rowReader(SCHEMA)(batch));
    expect(new Set(rows)).toEqual(new Set(ROWS));
    expect(String(table.schema.fields[2].type)).toContain("10");
  });

  it("says which version, column or condition is wrong", async () => {
    expect(await failed(1, ["read", T, "--version", "7"])).toMatchObject({ code: "DELTA_VERSION_NOT_FOUND" });
    expect(await failed(1, ["read", T, "--timestamp", "2001-01-01"])).toMatchObject({
      code: "DELTA_TIMESTAMP_OUT_OF_RANGE",
    });
    expect(await failed(1, ["read", T, "--columns", "nmae"])).toMatchObject({
      code: "DELTA_INVALID_ARGUMENT",
      data: { column: "nmae", nearest: "name" },
    });
    expect(await failed(1, ["read", T, "--where", "nmae = 1"])).toMatchObject({ code: "DELTA_INVALID_PREDICATE" });
  });
});
