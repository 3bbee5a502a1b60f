import { leavesOf, type ParquetNode, pruneTree } from "./fileSchema.js";
import type { Chunk, Footer } from "./footer.js";
import { chunksOf } from "./prune.js";

/** Row groups that are read together. */
export interface Run {
  readonly rowGroups: readonly number[];
  readonly rowCount: number;
  /** About the size of its Arrow buffers. */
  readonly arrowBytes: number;
}

const FIXED_WIDTHS: Readonly<Record<string, number>> = {
  BOOLEAN: 1,
  INT32: 4,
  INT64: 8,
  INT96: 8,
  FLOAT: 4,
  DOUBLE: 8,
};

/**
 * Joins wanted row groups, as long as their Arrow buffers stay below about `arrowBytes`. Row groups without rows are
 * left out.
 */
export function cutRuns(footer: Footer, root: ParquetNode, rowGroups: readonly number[], arrowBytes: number): Run[] {
  const leaves = leavesOf(root);
  const wanted = rowGroups.filter((group) => footer.rowGroups[group]!.rowCount > 0);
  const sizes = chunksOf(footer, { root, rowGroups: wanted }).map((chunks) =>
    chunks.reduce((sum, { chunk }, i) => sum + arrowBytesOf(leaves[i]!, chunk), 0),
  );
  const runs: { rowGroups: number[]; rowCount: number; arrowBytes: number }[] = [];
  for (const [i, group] of wanted.entries()) {
    const { rowCount } = footer.rowGroups[group]!;
    const last = runs.at(-1);
    if (last === undefined || last.arrowBytes + sizes[i]! > arrowBytes) {
      runs.push({ rowGroups: [group], rowCount, arrowBytes: sizes[i]! });
    } else {
      last.rowGroups.push(group);
      last.rowCount += rowCount;
      last.arrowBytes += sizes[i]!;
    }
  }
  return runs;
}

/** Some of a row group's columns. */
export interface ColumnPart {
  readonly root: ParquetNode;
  readonly arrowBytes: number;
}

/** Neighbouring top-level columns together, as long as they stay below about `arrowBytes`. */
export function columnParts(footer: Footer, root: ParquetNode, rowGroup: number, arrowBytes: number): ColumnPart[] {
  const [chunks = []] = chunksOf(footer, { root, rowGroups: [rowGroup] });
  const parts: { columns: string[][]; arrowBytes: number }[] = [];
  let at = 0;
  for (const column of root.children) {
    const leaves = leavesOf(column);
    const bytes = leaves.reduce((sum, leaf, i) => sum + arrowBytesOf(leaf, chunks[at + i]!.chunk), 0);
    at += leaves.length;
    const last = parts.at(-1);
    if (last === undefined || last.arrowBytes + bytes > arrowBytes) {
      parts.push({ columns: [column.path.slice()], arrowBytes: bytes });
    } else {
      last.columns.push(column.path.slice());
      last.arrowBytes += bytes;
    }
  }
  return parts.map((part) => ({ root: pruneTree(root, part.columns)!, arrowBytes: part.arrowBytes }));
}

/** About the size of a chunk's Arrow buffers. */
export function arrowBytesOf({ element }: ParquetNode, chunk: Chunk): number {
  // Repeated strings take little room in a file with a dictionary, but all of it in memory.
  const width = FIXED_WIDTHS[element.type ?? ""] ?? Math.max(element.type_length ?? 0, 16);
  // What a chunk unpacks to is a claim; what is stored is there.
  return Math.max(chunk.uncompressedBytes, chunk.end - chunk.start, chunk.valueCount * width);
}

/** The size of a row group's dictionaries, as they are stored. */
export function dictionaryBytes(footer: Footer, root: ParquetNode, rowGroup: number): number {
  const [chunks = []] = chunksOf(footer, { root, rowGroups: [rowGroup] });
  return chunks.reduce((sum, { chunk }) => {
    return sum + (chunk.dictionaryPageOffset === undefined ? 0 : chunk.dataPageOffset - chunk.dictionaryPageOffset);
  }, 0);
}
