import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatDdl, parseDdl } from "#src/schema/ddl.js";
import { localStore } from "#src/storage/local.js";
import { Table } from "#src/table.js";
import { metaData, putCommit } from "../log/build.js";
import { inlineVector } from "../log/deletionVectorBytes.js";
import { tableOf } from "../read/tableWithVectors.js";
import { failed, inFolder, objects, ok, run, withoutPackages } from "./command.js";

describe("the program", () => {
  it("prints its version and its help", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8"));
    expect(await ok(["--version"])).toBe(`${version}\n`);
    const help = await ok(["--help"]);
    expect(help).toContain("Usage: delta-table <command> <table>");
    expect(await ok(["help"])).toBe(help);
    expect(await ok(["help", "read"])).toBe(await ok(["read", "--help"]));
  });

  it("helps without loading any package", async () => {
    const node = withoutPackages(/node_modules/);
    expect(await ok(["--help"], "", { node })).toContain("Usage: ");
    expect((await run(["read", "--limt"], "", { node })).code).toBe(2);
    expect((await run(["read", "T"], "", { node })).stderr).toContain("Cannot find package");
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["raed", "T"]],
    ["an unknown option", ["read", "T", "--limt", "1"]],
    ["a time that is none", ["read", "T", "--timestamp", "yesterday"]],
    ["a schema that is none", ["create", "T", "--schema", "id lnog"]],
    ["no schema", ["create", "T"]],
    ["half a transaction", ["append", "T", "a.csv", "--txn-version", "1"]],
    ["a file of no known format", ["append", "T", "a.xyz"]],
  ])("exits with 2 and a hint at %s", async (_, args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .+\n {7}.+\n$/);
    const error = await failed(2, args);
    expect(error.kind).toBe("fix-input");
    expect(error.data.hint).not.toBe("");
  });

  it("exits with 1 at an error, told without a stack trace", async () => {
    await inFolder(async (folder) => {
      const { code, stdout, stderr } = await run(["read", join(folder, "none")]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^error: .+\n {7}DELTA_TABLE_NOT_FOUND: .+\n$/);
      const error = await failed(1, ["read", join(folder, "none")]);
      expect(error).toMatchObject({ code: "DELTA_TABLE_NOT_FOUND", kind: "fix-input" });
    });
  });

  it("lets no control characters through in an error", async () => {
    await inFolder(async (folder) => {
      const { stderr } = await run(["read", join(folder, "a\u001b[31m\u009bb")]);
      expect(stderr).toContain("\\u001b[31m\\u009bb");
      expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
    });
  });
});

describe("create and schema", () => {
  it("make a table and print its columns", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const ddl = "id bigint not null, s struct<a: int, b: array<struct<c: string>>> COMMENT 'x\u001b', day date";
      const created = await ok([
        "create",
        T,
        "--schema",
        ddl,
        "--partition-by",
        "day",
        "--name",
        "N",
        "--description",
        "D",
        "--property",
        "delta.appendOnly=true",
        "--property",
        "delta.checkpointInterval=3",
        "--json",
      ]);
      expect(JSON.parse(created)).toEqual({ location: T, version: 0 });
      const table = Table.open(T);
      expect(await table.schema()).toEqual(parseDdl(ddl));
      const facts = {
        name: "N",
        description: "D",
        partitionColumns: ["day"],
        properties: { "delta.appendOnly": "true", "delta.checkpointInterval": "3" },
      };
      expect(await table.detail()).toMatchObject(facts);
      const text =
        "id   bigint NOT NULL,\ns    struct<\n  a  int,\n  b  array<struct<\n    c  string\n  >>\n> COMMENT 'x\\u001b',\nday  date\n";
      expect(await ok(["schema", T])).toBe(text);
      await ok(["create", join(folder, "v"), "--schema", text]);
      expect(`${formatDdl(await Table.open(join(folder, "v")).schema())}\n`).toBe(text);
      const file = join(folder, "schema.json");
      await writeFile(file, await ok(["schema", T, "--json"]));
      await ok(["create", join(folder, "u"), "--schema-file", file]);
      expect(await Table.open(join(folder, "u")).schema()).toEqual(parseDdl(ddl));
    });
  });

  it("refuse a table that exists", async () => {
    await inFolder(async (folder) => {
      const args = ["create", join(folder, "t"), "--schema", "id int"];
      expect(await ok(args)).toBe(`created ${join(folder, "t")}, version 0\n`);
      expect((await failed(1, args)).code).toBe("DELTA_PATH_EXISTS");
    });
  });
});

describe("history, detail, files and checkpoint", () => {
  it("count the rows that deletion vectors leave", async () => {
    await inFolder(async (folder) => {
      const deletionVector = inlineVector([1, 3]);
      await tableOf(localStore(folder), [{ first: 0, rowCount: 5, deletionVector }]);
      expect(await ok(["files", folder])).toMatch(/ {2}3 {2}f0\.parquet$/m);
      expect(objects(await ok(["files", folder, "--json"]))).toMatchObject([{ numRecords: 5, deletionVector }]);
    });
  });

  it("tell people and programs about a table", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["append", T, "--partition-by", "p"], '{"id":1,"p":"a b"}\n{"id":2,"p":"\\u001b"}\n');
      await ok(["append", T, "--user-metadata", "n\u001bote"], '{"id":3,"p":null}\n');

      const history = JSON.parse(await ok(["history", T, "--json"]));
      expect(history).toMatchObject([
        {
          version: 1,
          operation: "WRITE",
          userMetadata: "n\u001bote",
          readVersion: 0,
          operationMetrics: { numOutputRows: "1" },
        },
        { version: 0, operation: "WRITE", userMetadata: null, operationMetrics: { numOutputRows: "2" } },
      ]);
      expect(history[0].timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(JSON.parse(await ok(["history", T, "--json", "--limit", "1"]))).toHaveLength(1);
      expect(JSON.parse(await ok(["history", T, "--json", "--limit", "0"]))).toEqual([]);
      const text = await ok(["history", T]);
      expect(text).toContain("n\\u001bote");
      expect(text).toContain("2 rows, 2 files");

      const detail = JSON.parse(await ok(["detail", T, "--json"]));
      expect(detail).toMatchObject({
        format: "delta",
        location: T,
        version: 1,
        numFiles: 3,
        partitionColumns: ["p"],
        minReaderVersion: 1,
      });
      expect(JSON.parse(await ok(["detail", T, "--json", "--version", "0"]))).toMatchObject({
        version: 0,
        numFiles: 2,
      });
      expect(await ok(["detail", T])).toMatch(/^partitioned by {2}p$/m);

      const files = objects(await ok(["files", T, "--json"]));
      expect(files.map((file) => file.partitionValues)).toEqual(
        expect.arrayContaining([{ p: "a b" }, { p: "\u001b" }, { p: null }]),
      );
      for (const file of files) {
        expect(await readFile(join(T, file.path as string))).toHaveLength(file.size as number);
        expect(file).toMatchObject({ numRecords: 1, stats: expect.any(String), modificationTime: expect.any(Number) });
      }
      expect(objects(await ok(["files", T, "--json", "--version", "0"]))).toHaveLength(2);
      const some = objects(await ok(["files", T, "--json", "--where", "p = 'a b'"]));
      expect(some.map((file) => file.partitionValues)).toEqual([{ p: "a b" }]);
      expect((await failed(1, ["files", T, "--json", "--where", ""])).code).toBe("DELTA_INVALID_PREDICATE");
      const listed = await ok(["files", T]);
      expect(listed).not.toMatch(/[^\P{Cc}\n]/u);
      expect(listed).toMatch(/^3 files, \d/m);

      expect(JSON.parse(await ok(["checkpoint", T, "--json"]))).toEqual({ version: 1 });
      expect(JSON.parse(await readFile(join(T, "_delta_log/_last_checkpoint"), "utf8")).version).toBe(1);
      expect(await ok(["checkpoint", T])).toContain("version 1");
    });
  });
});

describe("protocol", () => {
  it("explains a table's features, for people and for programs", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["create", T, "--schema", "id bigint, at timestamp_ntz", "--property", "delta.appendOnly=true"]);
      const report = JSON.parse(await ok(["protocol", T, "--json"]));
      expect(report).toMatchObject({ version: 0, minReaderVersion: 3, minWriterVersion: 7, readRefusal: null });
      expect(report.features.map(({ name, isActive }: Record<string, unknown>) => [name, isActive])).toEqual([
        ["timestampNtz", true],
        ["appendOnly", true],
      ]);
      const text = await ok(["protocol", T]);
      expect(text).toMatch(
        /^version {4}0\nprotocol {3}reader 3, writer 7\nreading {4}yes\nappending {2}yes\n\nfeature {7}from {6}active {2}read {2}append\n/,
      );
      for (const { name, reading } of report.features) {
        expect(text).toContain(`\n${name}\n  reading    ${reading.meaning}\n`);
      }
      expect(JSON.parse(await ok(["protocol", T, "--json", "--version", "0"]))).toEqual(report);
    });
  });

  it("explains a table that can't be read", async () => {
    await inFolder(async (folder) => {
      const store = localStore(join(folder, "t"));
      const features = ["catalogManaged", "\u001b[31m"];
      const protocol = { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features };
      await putCommit(store, 0, { protocol }, metaData());
      const text = await ok(["protocol", store.url]);
      expect(text).toContain("\nreading    This release can't read the table: it uses catalogManaged (");
      expect(text).not.toContain("\u001b");
      const allowed = JSON.parse(await ok(["protocol", store.url, "--json", "--catalog-managed-by-path"]));
      expect(allowed.features.map(({ reading }: { reading: object }) => reading)).toMatchObject([
        { isSupported: true },
        { isSupported: false },
      ]);
    });
  });
});
