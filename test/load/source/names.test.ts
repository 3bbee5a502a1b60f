import { describe, expect, it } from "vitest";
import { factsOfName } from "#src/load/source/names.js";

describe("what a file's name tells", () => {
  it.each([
    ["a.csv", "csv", "none", undefined],
    ["d.parquet/A.CSV.GZ", "csv", "gzip", undefined],
    ["a.b.tsv", "csv", "none", "\t"],
    ["a.tsv.zst", "csv", "zstd", "\t"],
    ["a.ndjson.zstd", "jsonl", "zstd", undefined],
    ["a.json", "jsonl", "none", undefined],
    ["part-0.snappy.parquet", "parquet", "none", undefined],
    ["a.feather", "arrow", "none", undefined],
    ["a.gz", undefined, "gzip", undefined],
    ["gz", undefined, "none", undefined],
    ["csv", undefined, "none", undefined],
    ["a.constructor", undefined, "none", undefined],
    ["a.csv/b", undefined, "none", undefined],
  ])("%s", (name, format, compression, delimiter) => {
    expect(factsOfName(name)).toEqual({ format, compression, delimiter });
  });
});
