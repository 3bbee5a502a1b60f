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

  it("keeps runs below 16 MiB compressed and 32 MiB decoded", async () => {
    const compressed: [number, number, number] = [10, 3 * MIB, 3 * MIB];
    expect(groupsOf(await footerOf(new Array(5).fill(compressed)))).toEqual([[0, 1], [2, 3], [4]]);
    const decoded: [number, number, number] = [MIB, 100, 100];
    expect(groupsOf(await footerOf(new Array(3).fill(decoded)))).toEqual([[0], [1], [2]]);
  });

  it("cuts a row group that might not fit into WebAssembly's memory", async () => {
    const huge = await footerOf([[1001, 1000, 500 * MIB]]);
    const [run] = cutRuns(huge, huge.root, [0]);
    expect(run!.slices.map(({ offset, rowCount }) => [offset, rowCount])).toEqual([
      [0, 333],
      [333, 334],
      [667, 334],
    ]);
  });
});

describe("a file that is read in slices", () => {
  it("gives the rows of one that is read at once", async () => {
    const id = Array.from({ length: 1000 }, (_, i) => BigInt(i));
    const bytes = await encode(
      { id: vector(new Int64(), id), s: vector(new Utf8(), id.map(String)) },
      { rowGroupRows: 300 },
    );
    const { store } = await storeOf(bytes);
    const real = await readFooter(store, { path: "file", sizeBytes: bytes.length });
    // Sizes that are larger than true make it cut.
    const rowGroups = real.rowGroups.map((group) => ({
      ...group,
      chunks: group.chunks.map((chunk) => ({ ...chunk, uncompressedBytes: 300 * MIB })),
    }));
    const batches = await read(bytes, { footer: { ...real, rowGroups } });
    expect(batches.length).toBe(8);
    expect(plain(batches)).toEqual({ id, s: id.map(String) });
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
