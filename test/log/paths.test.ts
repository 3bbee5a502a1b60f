import { describe, expect, test } from "vitest";
import { canonicalPath, decodePath, encodePath, storePath } from "#src/log/paths.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";

describe("encoding", () => {
  test("escapes what a URI can't hold, and no more than Hadoop does", () => {
    expect(encodePath("a b/p=x%20y/c#d?e[1]é日.parquet")).toBe("a%20b/p=x%2520y/c%23d%3Fe%5B1%5Dé日.parquet");
    expect(encodePath("part-00000_(1)~'!*,;$&+=@.parquet")).toBe("part-00000_(1)~'!*,;$&+=@.parquet");
  });

  test("any path survives", () => {
    const path = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(path, (text) => {
        expect(decodePath(encodePath(text))).toBe(text);
      }),
    );
  });

  test("a percent sign that starts no escape stands for itself", () => {
    expect(decodePath("100%/a%20b%zz%E9")).toBe("100%/a b%zz%E9");
  });
});

describe("[R-FILE-7] the canonical form", () => {
  test.each([
    ["/some/p@%23h", "/some/p@#h"],
    ["file:/some/p@%23h", "/some/p@#h"],
    ["file:///some/p@%23h", "/some/p@#h"],
    ["file://localhost/some/p", "/some/p"],
    ["FILE:///x//y/../z/.", "/x/z"],
    ["s3://bucket/a%20b//c", "s3://bucket/a b/c"],
    ["s3a://bucket/a", "s3://bucket/a"],
    ["S3N://bucket/a", "s3://bucket/a"],
    ["a%20b", "a b"],
    ["./a//b/", "a/b"],
    ["x/../../y", "../y"],
    ["/../y", "/y"],
    ["plain/part-0.parquet", "plain/part-0.parquet"],
    ["a:b.parquet", "a:b.parquet"],
  ])("of %s is %s", (path, expected) => {
    expect(canonicalPath(path)).toBe(expected);
  });
});

describe("store paths", () => {
  test("[R-FILE-5] lie below the table's root, decoded", () => {
    expect(storePath({ url: "/data/t" }, "p=a%2520b/x.parquet")).toBe("p=a%20b/x.parquet");
    expect(storePath({ url: "/data/t" }, "file:///data/t/x%20y.parquet")).toBe("x y.parquet");
    expect(storePath({ url: "/data/a%20b" }, "/data/a%2520b/x.parquet")).toBe("x.parquet");
    for (const url of ["s3://bucket/t", "s3a://bucket/t", "s3n://bucket/t"]) {
      for (const scheme of ["s3", "s3a", "s3n"]) expect(storePath({ url }, `${scheme}://bucket/t/x`)).toBe("x");
    }
    expect(storePath({ url: "s3a://bucket/a%20b/t" }, "s3://bucket/a%2520b/t/x")).toBe("x");
    expect(storePath({ url: "C:\\data\\t" }, "file:///C:/data/t/x.parquet")).toBe("x.parquet");
  });

  test("lie below the other roots that the store has", () => {
    const store = { url: "/data/t", otherRoots: ["/data/a b", "s3a://bucket/u", "/"] };
    expect(storePath(store, "file:/data/a%20b/p=1/x.parquet")).toBe("/data/a b/p=1/x.parquet");
    expect(storePath(store, "s3n://bucket/u/x%20y")).toBe("s3a://bucket/u/x y");
    expect(storePath(store, "/data/t/x")).toBe("x");
    expect(storePath(store, "/etc/x")).toBe("/etc/x");
  });

  test("of another key are refused, though it spells the root's as a URI does", async () => {
    const store = { url: "s3://bucket/a%20b", otherRoots: ["s3://bucket/100%25"] };
    for (const path of ["s3://bucket/a%20b/x", "s3://bucket/100%25/x"]) {
      await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => storePath(store, path));
    }
    expect(storePath(store, "s3://bucket/100%2525/x")).toBe("s3://bucket/100%25/x");
  });

  test.each(["../a/x", "/data/ab/x", "/data/a/../b/x", "/data/a/_delta_log/x", "/data/a", "s3://data/a/x", "a%00b"])(
    "%j is refused all the same where there are other roots",
    async (path) => {
      const store = { url: "/data/t", otherRoots: ["/data/a"] };
      await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => storePath(store, path));
    },
  );

  test.each([
    "../x.parquet",
    "a/../../x.parquet",
    "..//Users/x.parquet",
    "/data/other/x.parquet",
    "/data/t2/x.parquet",
    "/data/t/../x.parquet",
    "s3://bucket/t/x.parquet",
    "a%00b",
    "",
    ".",
  ])("%j is refused", async (path) => {
    const error = await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => storePath({ url: "/data/t" }, path));
    expect(error.data.path).toBe(path);
  });
});
