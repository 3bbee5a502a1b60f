import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { replaceLimits } from "#src/limits.js";
import { storePath } from "#src/log/paths.js";
import { localStore } from "#src/storage/local.js";
import { openStore } from "#src/storage/open.js";
import { expectCode } from "../expectCode.js";
import { add, freshLocation, metaData, PROTOCOL, putLines } from "./tables.js";

describe("add.path", () => {
  const WAYS_OUT = [
    "../x.parquet",
    "a/../../x.parquet",
    "%2e%2e/x.parquet",
    "%2E%2E%2Fx.parquet",
    "a%2f..%2f..%2fx.parquet",
    ".%2e/x.parquet",
    "..%2fx.parquet",
    "./../x.parquet",
    "..",
    "a/..",
    "/etc/passwd",
    "//etc/passwd",
    "//server/share/x.parquet",
    "file:/etc/passwd",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "file://other/etc/passwd",
    "C:/Windows/x.parquet",
    "http://127.0.0.1/x.parquet",
    "https://example.org/x.parquet",
    "s3://other/x.parquet",
    "s3a://other/x.parquet",
    "gs://bucket/x.parquet",
    "abfss://c@account.dfs.core.windows.net/x.parquet",
    "a%00.parquet",
    "x.parquet%00",
    "\0",
    "",
    ".",
    "./",
    "%2e",
    "_delta_log/00000000000000000000.json",
    "./_delta_log/x.parquet",
    "a/../_delta_log/x.parquet",
    "_delta_log",
  ];

  test.each(WAYS_OUT)("%j is refused, whatever store the table is in, and nothing of it is read", async (way) => {
    for (const url of ["/data/t", "s3://bucket/t", "s3://bucket", "memory:t", "C:\\data\\t"]) {
      const error = await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => storePath({ url }, way));
      expect(error.data.path).toBe(way);
    }
    const location = freshLocation();
    await putLines(location, 0, [PROTOCOL, metaData(), add({ path: way })]);
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => Table.open(location).scan().toArray());
  });

  test.each([
    ["s3://bucket/t", "s3://bucket/other/x.parquet"],
    ["s3://bucket/t", "s3://bucket/t/../other/x.parquet"],
    ["s3://bucket/t", "s3://bucket/t%2f..%2fother/x.parquet"],
    ["s3://bucket/t", "s3://bucket/tt/x.parquet"],
    ["s3://bucket/t", "s3://bucket@evil/t/x.parquet"],
    ["s3://bucket/t", "s3://bucket.evil/t/x.parquet"],
    ["s3://bucket/t", "file:///data/t/x.parquet"],
    ["s3://bucket/t", "/bucket/t/x.parquet"],
    ["/data/t", "file:///data/t/../u/x.parquet"],
    ["/data/t", "/data/t%2f..%2fu/x.parquet"],
    ["/data/t", "s3://data/t/x.parquet"],
    ["memory:t", "memory:/t/x.parquet"],
  ])("of a table at %s: %s is refused", async (url, way) => {
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => storePath({ url }, way));
  });

  test.each([
    ["/data/t", "%252e%252e/x.parquet", "%2e%2e/x.parquet"],
    ["/data/t", "..\\..\\x.parquet", "..\\..\\x.parquet"],
    ["/data/t", "...parquet", "...parquet"],
    ["/data/t", "a/..b/x.parquet", "a/..b/x.parquet"],
    ["/data/t", "a/../b.parquet", "b.parquet"],
    ["/data/t", "file:/data/t/x.parquet", "x.parquet"],
    ["/data/t", "_delta_log2/x.parquet", "_delta_log2/x.parquet"],
    ["/data/t", "a/_delta_log/x.parquet", "a/_delta_log/x.parquet"],
    ["s3://bucket/t", "s3a://bucket/t/x.parquet", "x.parquet"],
  ])("of a table at %s: %s is the file %s inside it", (url, given, expected) => {
    expect(storePath({ url }, given)).toBe(expected);
  });
});

function makePipe(at: string): void {
  execFileSync("/bin/sh", ["-c", 'mkfifo "$0"', at]);
}

describe("on a local disk", () => {
  let folder: string;
  let table: string;
  let outside: string;

  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "delta-table-links-"));
    [table, outside] = [path.join(folder, "table"), path.join(folder, "outside")];
    fs.mkdirSync(outside);
    await Table.open(table).append([{ id: 1n, p: "a" }], { partitionBy: ["p"] });
  });

  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const dataFile = async () => (await Table.open(table).files())[0]!.path;

  test("a data file that is a link out of the table is refused, unless links are to be followed", async () => {
    const file = path.join(table, await dataFile());
    const secret = path.join(outside, "secret.parquet");
    fs.renameSync(file, secret);
    fs.symlinkSync(secret, file);
    const error = await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => Table.open(table).scan().toArray());
    expect(error.data).toEqual({ path: file, target: fs.realpathSync(secret) });
    expect(await Table.open(table, { followLinks: true }).scan().toArray()).toEqual([{ id: 1n, p: "a" }]);
    await Table.open(table).append([{ id: 2n, p: "b" }]);
    expect(fs.readdirSync(outside)).toEqual(["secret.parquet"]);
  });

  test("a link to a file within the table is followed", async () => {
    const file = path.join(table, await dataFile());
    fs.renameSync(file, path.join(table, "moved.parquet"));
    fs.symlinkSync("../moved.parquet", file);
    expect(await Table.open(table).scan().toArray()).toEqual([{ id: 1n, p: "a" }]);
  });

  test("the table's folder, and the way to it, may be links", async () => {
    fs.symlinkSync(folder, path.join(outside, "way"));
    fs.symlinkSync(table, path.join(outside, "table"));
    for (const at of [path.join(outside, "way", "table"), path.join(outside, "table")]) {
      await Table.open(at).append([{ id: 2n, p: "a" }]);
    }
    expect(await Table.open(table).count()).toBe(3);
  });

  test.each(["_delta_log", "p=a"])(
    "through a folder %s that is a link out of the table nothing is read, written or deleted",
    async (name) => {
      fs.renameSync(path.join(table, name), path.join(outside, name));
      fs.symlinkSync(path.join(outside, name), path.join(table, name));
      const before = fs.readdirSync(path.join(outside, name));
      const store = localStore(table);
      const bytes = Uint8Array.of(1);
      const at = `${name}/x`;
      fs.writeFileSync(path.join(outside, name, "kept"), "kept");
      for (const call of [
        () => store.get(at),
        () => store.put(at, bytes),
        () => store.putNew(at, [bytes]),
        () => store.putIfAbsent(at, bytes),
        () => store.delete(`${name}/kept`),
        () => store.head(at),
        () => store.listNames(`${name}/`),
        () => store.list(`${name}/`)[Symbol.asyncIterator]().next(),
        () => store.put(`${name}/deeper/x`, bytes),
      ]) {
        await expectCode("DELTA_UNSUPPORTED_FILE_PATH", call);
      }
      await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => Table.open(table).append([{ id: 2n, p: "a" }]));
      expect(fs.readdirSync(path.join(outside, name)).sort()).toEqual([...before, "kept"].sort());
      await Table.open(table, { followLinks: true }).append([{ id: 2n, p: "a" }]);
      expect(await Table.open(table, { followLinks: true }).count()).toBe(2);
    },
  );

  test("a link is replaced and removed itself, never what it leads to", async () => {
    const store = localStore(table);
    fs.writeFileSync(path.join(outside, "kept"), "kept");
    for (const name of ["put", "new", "claimed", "deleted"])
      fs.symlinkSync(path.join(outside, "kept"), path.join(table, name));
    await store.put("put", Uint8Array.of(1));
    await expectCode("DELTA_STORAGE_FAILED", () => store.putNew("new", [Uint8Array.of(1)]));
    expect(await store.putIfAbsent("claimed", Uint8Array.of(1))).toBe("exists");
    await store.delete("deleted");
    expect(fs.readFileSync(path.join(outside, "kept"), "utf8")).toBe("kept");
    expect(fs.lstatSync(path.join(table, "put")).isFile()).toBe(true);
    expect(fs.existsSync(path.join(table, "deleted"))).toBe(false);
  });

  test.skipIf(process.platform === "win32")(
    "a pipe in place of a file is an error, not a wait without end",
    async () => {
      const file = path.join(table, await dataFile());
      fs.rmSync(file);
      makePipe(file);
      const error = await expectCode("DELTA_FILE_NOT_FOUND", () => Table.open(table).scan().toArray());
      expect(error.data.path).toBe(file);
      const commit = path.join(table, "_delta_log", "00000000000000000000.json");
      fs.rmSync(commit);
      makePipe(commit);
      await expectCode("DELTA_FILE_NOT_FOUND", () => openStore(table).get("_delta_log/00000000000000000000.json"));
    },
  );

  test("a folder of more names than MAX_LISTED_NAMES is an error", async () => {
    const restore = replaceLimits({ MAX_LISTED_NAMES: 20 });
    try {
      for (let i = 0; i < 25; i++) fs.writeFileSync(path.join(table, "_delta_log", `foreign-${i}`), "");
      const error = await expectCode("DELTA_LIMIT_EXCEEDED", () => Table.open(table).version());
      expect(error.data).toEqual({ path: path.join(table, "_delta_log/"), limit: "MAX_LISTED_NAMES" });
    } finally {
      restore();
    }
    expect(await Table.open(table).version()).toBe(0);
  });

  test.skipIf(process.platform !== "linux")("a device in place of a file is an error", async () => {
    fs.symlinkSync("/dev/zero", path.join(table, "zero"));
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => localStore(table).get("zero"));
    await expectCode("DELTA_FILE_NOT_FOUND", () => localStore(table, { followLinks: true }).get("zero"));
  });
});
