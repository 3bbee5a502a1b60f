import { symlinkSync } from "node:fs";
import { rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { openBytes } from "#src/load/source/bytes.js";
import type { SourceFormat } from "#src/load/source/source.js";
import { memoryStore } from "#src/storage/memory.js";
import { bytesOf, listAll, oneFile, readFrom, temporaryFolder, writeFiles } from "./files.js";
import { zipOf } from "./pack.js";

const folder = await temporaryFolder();

/** The paths of what operands stand for, below the folder. */
async function pathsOf(operands: readonly string[], format?: SourceFormat): Promise<string[]> {
  const files = await listAll(
    operands.map((operand) => path.join(folder, operand)),
    { format },
  );
  return files.map((file) => file.url.slice(folder.length + 1));
}

describe("the files of sources", () => {
  beforeAll(async () => {
    await writeFiles(folder, {
      "d/b.csv": "1",
      "d/a.csv.gz": gzipSync("22"),
      "d/a/x.jsonl": "{}",
      "d/a-b.tsv": "3",
      "d/_SUCCESS": "",
      "d/_logs/x.csv": "",
      "d/.hidden.csv": "",
      "d/notes.txt": "",
      "d/z.zip": zipOf([
        { name: "b.csv", content: Buffer.from("b") },
        { name: "a/c.tsv", content: Buffer.from("c") },
        { name: "notes.txt", content: Buffer.from("n") },
        { name: "_x.csv", content: Buffer.from("x") },
      ]),
      "odd/a b%20#?&+;'\"[1]{x}*.csv": "odd",
      "odd/日本 \u{1F600}\n.csv": "odd",
      "odd/1.csv": "1",
      "e/b.csv": "e",
      "empty/_x": "",
    });
  });

  it("of an archive are there whatever folder their names point to: nothing is unpacked to a disk", async () => {
    const archive = path.join(folder, "up.zip");
    await writeFile(
      archive,
      zipOf(["../up.csv", "./here.csv", "/root.csv"].map((name) => ({ name, content: Buffer.from("x") }))),
    );
    const urls = (await listAll([archive])).map(({ url }) => url.slice(url.indexOf("#") + 1));
    expect(urls).toEqual(["../up.csv", "./here.csv", "/root.csv"]);
  });

  it("of a folder come in the order of their paths, without hidden ones and those of no format", async () => {
    const all = ["d/a-b.tsv", "d/a.csv.gz", "d/a/x.jsonl", "d/b.csv", "d/z.zip#a/c.tsv", "d/z.zip#b.csv"];
    const skipped: string[] = [];
    const files = await listAll([path.join(folder, "d")], { onSkip: (url) => skipped.push(url) });
    expect(files.map((file) => file.url)).toEqual(all.map((at) => path.join(folder, at)));
    expect(skipped).toEqual(["d/notes.txt", "d/z.zip#notes.txt"].map((at) => path.join(folder, at)));
    expect(await pathsOf(["d/"])).toEqual(all);
    expect(await pathsOf(["d"], "csv")).toContain("d/notes.txt");
  });

  it("have what their names and the disk tell", async () => {
    await utimes(path.join(folder, "d/b.csv"), 0, 1_700_000_000.25);
    const [tsv, gz, jsonl, csv, zipped] = await listAll([path.join(folder, "d")]);
    expect(tsv).toMatchObject({ format: "csv", compression: "none", delimiter: "\t", identity: { sizeBytes: 1 } });
    expect(gz).toMatchObject({ format: "csv", compression: "gzip", identity: { sizeBytes: gzipSync("22").length } });
    expect(jsonl).toMatchObject({ format: "jsonl" });
    expect(csv!.identity).toEqual({ sizeBytes: 1, modifiedMs: 1_700_000_000_250 });
    expect(zipped).toMatchObject({ delimiter: "\t", entry: { name: "a/c.tsv", sizeBytes: 1 } });
    const [given] = await listAll([path.join(folder, "d/notes.txt")], { format: "jsonl", compression: "zstd" });
    expect(given).toMatchObject({ format: "jsonl", compression: "zstd" });
  });

  it("come operand by operand, and each once", async () => {
    expect(await pathsOf(["d/b.csv", "d/*.csv*", "d", "d/z.zip", "d/b.csv"])).toEqual([
      "d/b.csv",
      "d/a.csv.gz",
      "d/a-b.tsv",
      "d/a/x.jsonl",
      "d/z.zip#a/c.tsv",
      "d/z.zip#b.csv",
    ]);
  });

  it("of a pattern may be in any folder; a name that is there is no pattern", async () => {
    expect(await pathsOf(["{d,e}/b.csv"])).toEqual(["d/b.csv", "e/b.csv"]);
    expect(await pathsOf(["**/b.csv"])).toEqual(["d/b.csv", "e/b.csv"]);
    expect(await pathsOf(["[de]"])).toEqual([...(await pathsOf(["d"])), "e/b.csv"]);
    expect(await pathsOf(["d/.h*"])).toEqual(["d/.hidden.csv"]);
    const odd = "odd/a b%20#?&+;'\"[1]{x}*.csv";
    await writeFiles(folder, { "odd/a b%20#?&+;'\"1{x}z.csv": "another" });
    expect(await pathsOf([odd])).toEqual([odd]);
    expect(String(await readFrom((await listAll([path.join(folder, odd)]))[0]!))).toBe("odd");
    await writeFiles(folder, { "p[1]/x.csv": "", "p1/y.csv": "" });
    expect(await pathsOf(["p[1]"])).toEqual(["p[1]/x.csv"]);
  });

  it("are found by URLs, relative paths and links", async () => {
    const odd = path.join(folder, "odd", "日本 \u{1F600}\n.csv");
    for (const operand of [pathToFileURL(odd), pathToFileURL(odd).href, path.relative(process.cwd(), odd)]) {
      const [file] = await listAll([operand]);
      expect(file!.url).toBe(odd);
      expect(String(await readFrom(file!))).toBe("odd");
    }
    await writeFiles(folder, { "links/x": "" });
    symlinkSync(path.join(folder, "e"), path.join(folder, "links/folder"));
    symlinkSync(path.join(folder, "e/b.csv"), path.join(folder, "links/file.csv"));
    expect(await pathsOf(["links"])).toEqual(["links/file.csv"]);
    expect(await pathsOf(["links/folder"])).toEqual(["links/folder/b.csv"]);
    expect(String(await readFrom((await listAll([path.join(folder, "links/file.csv")]))[0]!))).toBe("e");
    await memoryStore("sources").put("a/b.csv", Buffer.from("memory"));
    const [file] = await listAll(["memory:sources"]);
    expect(file!.url).toBe("memory:sources/a/b.csv");
    expect(String(await readFrom(file!))).toBe("memory");
  });

  it("must be there, be files, and have a format", async () => {
    const missing = { code: "DELTA_FILE_NOT_FOUND" };
    for (const operand of ["nowhere.csv", "d/b.csv/x", "empty", "d/nothing*", "nowhere/*.csv"]) {
      await expect(pathsOf([operand])).rejects.toMatchObject(missing);
      await expect(pathsOf(["e", operand])).rejects.toMatchObject(missing);
    }
    await expect(pathsOf(["d/*.txt"])).rejects.toMatchObject({ ...missing, data: { skipped: 1 } });
    const invalid = { code: "DELTA_INVALID_ARGUMENT" };
    await expect(pathsOf(["d/notes.txt"])).rejects.toMatchObject(invalid);
    await expect(listAll([""])).rejects.toMatchObject(invalid);
    await expect(listAll(["a\0b"])).rejects.toMatchObject(invalid);
    await expect(listAll(["https://example.com/a.csv"])).rejects.toMatchObject({ code: "DELTA_UNSUPPORTED_URL" });
    if (process.platform === "linux") await expect(listAll(["/dev/null"])).rejects.toMatchObject(invalid);
    await expect(listAll([folder], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "DELTA_ABORTED" });
  });
});

describe("a local file that is written while it is loaded", () => {
  const at = path.join(folder, "w.csv");
  const CHANGED = { code: "DELTA_LOAD_SOURCE_CHANGED" };

  it("is read on as it was when another takes its name", async () => {
    await writeFile(at, "a".repeat(5000));
    await using reader = await openBytes(await oneFile(at), undefined, { chunkBytes: 1000 });
    const parts = [await reader.read()];
    await writeFile(`${at}.new`, "b".repeat(5000));
    await rename(`${at}.new`, at);
    parts.push(await bytesOf(reader));
    expect(String(Buffer.concat(parts.map((part) => part!)))).toBe("a".repeat(5000));
  });

  it("is read as far as it was listed when it grows", async () => {
    await writeFile(at, "a".repeat(5000));
    const file = await oneFile(at);
    await writeFile(at, "b".repeat(500), { flag: "a" });
    expect(String(await readFrom(file))).toBe("a".repeat(5000));
  });

  it("is an error when it shrinks, was written anew since it was listed, or is gone", async () => {
    await writeFile(at, "a".repeat(5000));
    const file = await oneFile(at);
    await using reader = await openBytes(file, undefined, { chunkBytes: 1000 });
    await reader.read();
    await truncate(at, 1500);
    const rest = async () => {
      while ((await reader.read()) !== undefined);
    };
    await expect(rest()).rejects.toMatchObject(CHANGED);
    await expect(openBytes(file, undefined)).rejects.toMatchObject(CHANGED);
    await writeFile(at, "b".repeat(5000));
    await utimes(at, 0, 1);
    await expect(openBytes(file, undefined)).rejects.toMatchObject(CHANGED);
    await rm(at);
    await expect(openBytes(file, undefined)).rejects.toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
  });

  it("can't be gone on with where it is shorter than what was read", async () => {
    await writeFile(at, "a".repeat(100));
    const file = await oneFile(at);
    await expect(openBytes(file, { stored: 101, decoded: 0 })).rejects.toMatchObject(CHANGED);
    await writeFile(`${at}.gz`, gzipSync("a".repeat(100)));
    await using reader = await openBytes(await oneFile(`${at}.gz`), { stored: 0, decoded: 101 });
    await expect(reader.read()).rejects.toMatchObject(CHANGED);
    await expect(reader.read()).rejects.toMatchObject(CHANGED);
  });
});
