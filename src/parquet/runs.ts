import { leavesOf, type ParquetNode } from "./fileSchema.js";
import type { Footer } from "./footer.js";
import { chunksOf } from "./prune.js";

/** Row groups that are fetched together, and the slices of their rows that are decoded one by one. */
export interface Run {
  readonly rowGroups: readonly number[];
  readonly slices: readonly Slice[];
}

export interface Slice {
  /** In rows of the run. */
  readonly offset: number;
  readonly rowCount: number;
  /** About the size of its Arrow buffers. */
  readonly arrowBytes: number;
}

// With a few runs on their way these keep a scan below about 250 MB.
const RUN_COMPRESSED_BYTES = 16 * 1024 * 1024;
const RUN_ARROW_BYTES = 32 * 1024 * 1024;
// Each slice decompresses its run from the begin, so only what might not fit into 4 GiB of WebAssembly memory is cut.
const SLICE_ARROW_BYTES = 384 * 1024 * 1024;

const FIXED_WIDTHS: Readonly<Record<string, number>> = {
  BOOLEAN: 1,
  INT32: 4,
  INT64: 8,
  INT96: 8,
  FLOAT: 4,
  DOUBLE: 8,
};

/** Cuts the wanted row groups into runs that bound the memory a scan needs. Row groups without rows are left out. */
export function cutRuns(footer: Footer, root: ParquetNode, rowGroups: readonly number[]): Run[] {
  const wanted = rowGroups.filter((group) => footer.rowGroups[group]!.rowCount > 0);
  const sizes = sizesOf(footer, root, wanted);
  const runs: Run[] = [];
  for (let from = 0; from < wanted.length; ) {
    let to = from + 1;
    let { compressedBytes, arrowBytes } = sizes[from]!;
    for (; to < wanted.length; to++) {
      compressedBytes += sizes[to]!.compressedBytes;
      arrowBytes += sizes[to]!.arrowBytes;
      if (compressedBytes > RUN_COMPRESSED_BYTES || arrowBytes > RUN_ARROW_BYTES) break;
    }
    const groups = wanted.slice(from, to);
    const rowCount = groups.reduce((sum, group) => sum + footer.rowGroups[group]!.rowCount, 0);
    const runBytes = sizes.slice(from, to).reduce((sum, size) => sum + size.arrowBytes, 0);
    runs.push({ rowGroups: groups, slices: cutSlices(rowCount, runBytes) });
    from = to;
  }
  return runs;
}

function cutSlices(rowCount: number, arrowBytes: number): Slice[] {
  const count = Math.min(rowCount, Math.ceil(arrowBytes / SLICE_ARROW_BYTES) || 1);
  return Array.from({ length: count }, (_, i) => {
    const offset = Math.floor((rowCount * i) / count);
    const end = Math.floor((rowCount * (i + 1)) / count);
    return { offset, rowCount: end - offset, arrowBytes: arrowBytes / count };
  });
}

function sizesOf(footer: Footer, root: ParquetNode, rowGroups: readonly number[]) {
  const leaves = leavesOf(root);
  return chunksOf(footer, { root, rowGroups }).map((chunks) => {
    let compressedBytes = 0;
    let arrowBytes = 0;
    for (const [i, { chunk }] of chunks.entries()) {
      const { type, type_length } = leaves[i]!.element;
      // Repeated strings take little room in a file with a dictionary, but all of it in memory.
      const width = FIXED_WIDTHS[type ?? ""] ?? Math.max(type_length ?? 0, 16);
      compressedBytes += chunk.end - chunk.start;
      arrowBytes += Math.max(chunk.uncompressedBytes, chunk.valueCount * width);
    }
    return { compressedBytes, arrowBytes };
  });
}
