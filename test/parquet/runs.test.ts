import { Int64, Utf8 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { type Footer, readFooter } from "#src/parquet/footer.js";
import { readPart } from "#src/parquet/prune.js";
import { cutRuns } from "#src/parquet/runs.js";
import { encode, plain, read, storeOf, vector } from "./fixtures.js";

const MIB = 1024 * 1024;

async function footer() {
  const bytes = await encode({ id: vector(new Int64(), [1n]), s: vector(new Utf8(), ["a"]) });
  const { store } = await storeOf(bytes);
  return { store, footer: await readFooter(store, { path: "file", sizeBytes: bytes.length }) };
}

/** A footer of row groups with these rows, compressed and uncompressed bytes a column. */
async function footerOf(groups: readonly (readonly [number, number, number])[]): Promise<Footer> {
  const { footer: real } = await footer();
  const [chunk] = real.rowGroups[0]!.chunks;
  const rowGroups = groups.map(([rowCount, size, uncompressedBytes]) => {
    const made = { ...chunk!, start: 4, end: 4 + size, valueCount: rowCount, uncompressedBytes };
    return { rowCount, chunks: rowCount === 0 ? [] : [made, made] };
  });
  return { ...real, rowGroups };
}

const groupsOf = (made: Footer) =>
  cutRuns(
    made,
    made.root,
    made.rowGroups.map((_, i) => i),
    32 * MIB,
  ).map((run) => run.rowGroups);

describe("cutRuns", () => {
  it("joins small row groups and leaves out those without rows", async () => {
    expect(
      groupsOf(
        await footerOf([
          [10, 100, 100],
          [0, 0, 0],
          [10, 100, 100],
        ]),
      ),
    ).toEqual([[0, 2]]);
  });

  it("keeps runs below the bytes, by what is stored or by what the values take", async () => {
    const stored: [number, number, number] = [10, 3 * MIB, 6 * MIB];
    expect(groupsOf(await footerOf(new Array(5).fill(stored)))).toEqual([[0, 1], [2, 3], [4]]);
    const repeated: [number, number, number] = [MIB, 100, 100];
    expect(groupsOf(await footerOf(new Array(3).fill(repeated)))).toEqual([[0], [1], [2]]);
  });

  it("leaves a row group that is larger alone", async () => {
    const huge: [number, number, number] = [1001, 1000, 500 * MIB];
    const made = await footerOf([[10, 100, 100], huge, [10, 100, 100]]);
    expect(groupsOf(made)).toEqual([[0], [1], [2]]);
    expect(cutRuns(made, made.root, [1], MIB)).toEqual([{ rowGroups: [1], rowCount: 1001, arrowBytes: 1000 * MIB }]);
  });
});

describe("readPart", () => {
  it("makes a file that needs no other: same rows, and only the wanted column", async () => {
    const { store, footer: real } = await footer();
    const root = { ...real.root, children: [real.root.children[1]!] };
    const part = await readPart(store, real, { root, rowGroups: [0] });
    expect(part.buffer.byteLength).toBe(part.length);
    expect(plain(await read(part))).toEqual({ s: ["a"] });
  });
});
