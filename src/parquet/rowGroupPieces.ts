import type { ByteRange, ObjectStore } from "../storage/store.js";
import { ChunkPages, type PageRun, type ReadRange } from "./chunkPages.js";
import type { PartFile } from "./decodeFile.js";
import { leavesOf, type ParquetNode, pruneTree } from "./fileSchema.js";
import type { Chunk, Footer } from "./footer.js";
import type { PlacedChunk } from "./footerBytes.js";
import { chunksOf, coalesce, emptyFile, readPart, readRange } from "./prune.js";
import { arrowBytesOf } from "./runs.js";

/** Some columns of neighbouring rows, as a Parquet file of their own. */
export interface Piece extends PartFile {
  /** How many of the row group's columns it holds. */
  readonly leafCount: number;
  /** Counted from the row group's begin. */
  readonly firstRow: number;
}

export interface PieceSizes {
  /** Rows that are decoded at once, about. */
  readonly pieceRows: number;
  /** Arrow bytes that may be decoded at once of the columns that can't be cut. */
  readonly wholeBytes: number;
}

// Smaller requests cost more than they save.
const MIN_WINDOW_BYTES = 1024 * 1024;

interface PagedLeaf {
  readonly node: ParquetNode;
  readonly chunk: Chunk;
  readonly pages: ChunkPages;
}

/**
 * Cuts a row group at the borders of its columns' pages, so that its parts can be decoded side by side and given up one
 * after the other. Each page is decoded once. Columns have different borders: those that share them come in one piece,
 * the others in pieces of their own, which overlap in rows (see {@link Weaver}).
 *
 * Where a page of a repeated column begins a row isn't known, so those columns come whole or, where that would take too
 * much memory, as slices of rows, for each of which the pages in front are decompressed again.
 */
export class RowGroupPieces {
  readonly #footer: Footer;
  readonly #root: ParquetNode;
  readonly #paged: readonly PagedLeaf[];
  readonly #whole: WholeLeaves | undefined;

  constructor(
    store: ObjectStore,
    footer: Footer,
    part: { readonly root: ParquetNode; readonly rowGroup: number; readonly checksPages?: boolean | undefined },
    { pieceRows, wholeBytes }: PieceSizes,
    signal: AbortSignal,
  ) {
    const { root, rowGroup, checksPages } = part;
    const { rowCount } = footer.rowGroups[rowGroup]!;
    const leaves = leavesOf(root);
    const [placed = []] = chunksOf(footer, { root, rowGroups: [rowGroup] });
    const repeated = repeatedLeaves(root);
    const whole = leaves.filter((leaf) => repeated.has(leaf));
    const windowOf = ({ start, end }: ByteRange) => {
      return Math.max(MIN_WINDOW_BYTES, Math.ceil(((end - start) * pieceRows) / rowCount));
    };
    const paged = leaves.flatMap((node, i) => (repeated.has(node) ? [] : [{ node, chunk: placed[i]!.chunk }]));
    const isSmall = (chunk: ByteRange) => chunk.end - chunk.start <= windowOf(chunk);
    const together = paged.flatMap(({ chunk }) => (isSmall(chunk) ? [chunk] : []));
    const read: ReadRange = (range) => readRange(store, footer, range, signal);
    const readTogether = readerOf(coalesce(together), read);
    this.#footer = footer;
    this.#root = root;
    this.#paged = paged.map(({ node, chunk }) => {
      const from = isSmall(chunk) ? readTogether : read;
      const pages = new ChunkPages(from, chunk, rowCount, windowOf(chunk), checksPages);
      return { node, chunk, pages };
    });
    if (whole.length > 0) {
      const arrowBytes = leaves.reduce(
        (sum, leaf, i) => sum + (repeated.has(leaf) ? arrowBytesOf(leaf, placed[i]!.chunk) : 0),
        0,
      );
      const sliceRows = Math.max(1, Math.floor(rowCount / Math.ceil(arrowBytes / wholeBytes || 1)));
      const wholeRoot = treeOf(root, whole);
      const file = () => readPart(store, footer, { root: wholeRoot, rowGroups: [rowGroup], checksPages }, signal);
      this.#whole = new WholeLeaves(file, whole.length, rowCount, sliceRows);
    }
  }

  /**
   * The next pieces, so that all columns reach row `until`. Throws a RangeError for damaged pages, and what the store
   * throws.
   */
  async take(until: number): Promise<Piece[]> {
    const byRows = new Map<string, { leaf: PagedLeaf; run: PageRun }[]>();
    const [whole = [], ...runs] = await Promise.all([
      this.#whole?.take(until),
      ...this.#paged.map(({ pages }) => pages.take(until)),
    ]);
    for (const [i, run] of runs.entries()) {
      if (run === undefined) continue;
      const rows = `${run.firstRow} ${run.rowCount}`;
      const same = byRows.get(rows);
      if (same === undefined) byRows.set(rows, [{ leaf: this.#paged[i]!, run }]);
      else same.push({ leaf: this.#paged[i]!, run });
    }
    return [...whole, ...[...byRows.values()].map((members) => this.#fileOf(members))];
  }

  #fileOf(members: readonly { leaf: PagedLeaf; run: PageRun }[]): Piece {
    const { firstRow, rowCount } = members[0]!.run;
    const root = treeOf(
      this.#root,
      members.map(({ leaf }) => leaf.node),
    );
    let end = 4;
    const chunks = members.map(({ leaf, run }): PlacedChunk => {
      const start = end;
      end += run.pages.reduce((sum, page) => sum + page.length, 0);
      const dataPageOffset = start + run.dictionaryBytes;
      const dictionaryPageOffset = run.dictionaryBytes > 0 ? start : undefined;
      const { uncompressedBytes } = run;
      const offsets = { start, end, dataPageOffset, dictionaryPageOffset };
      return {
        path: leaf.node.path,
        chunk: { ...leaf.chunk, ...offsets, valueCount: rowCount, uncompressedBytes },
        start,
      };
    });
    const bytes = emptyFile(this.#footer, root, [{ rowCount, chunks }]);
    let at = 4;
    for (const page of members.flatMap(({ run }) => run.pages)) {
      bytes.set(page, at);
      at += page.length;
    }
    return { bytes, leafCount: members.length, firstRow, rowCount };
  }
}

class WholeLeaves {
  readonly #read: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly #leafCount: number;
  readonly #rowCount: number;
  readonly #sliceRows: number;
  #file: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #row = 0;

  constructor(read: () => Promise<Uint8Array<ArrayBuffer>>, leafCount: number, rowCount: number, sliceRows: number) {
    this.#read = read;
    this.#leafCount = leafCount;
    this.#rowCount = rowCount;
    this.#sliceRows = sliceRows;
  }

  async take(until: number): Promise<Piece[]> {
    const pieces: Piece[] = [];
    while (this.#row < until) {
      const firstRow = this.#row;
      const rowCount = Math.min(this.#sliceRows, this.#rowCount - firstRow);
      this.#row += rowCount;
      const isLast = this.#row === this.#rowCount;
      this.#file ??= this.#read();
      const file = await this.#file;
      // A piece's bytes are transferred.
      pieces.push({
        bytes: isLast ? file : file.slice(),
        leafCount: this.#leafCount,
        firstRow,
        rowCount,
        ...(rowCount < this.#rowCount && { offset: firstRow }),
      });
      if (isLast) this.#file = undefined;
    }
    return pieces;
  }
}

function treeOf(root: ParquetNode, leaves: readonly ParquetNode[]): ParquetNode {
  return pruneTree(
    root,
    leaves.map(({ path }) => path),
  )!;
}

function repeatedLeaves(root: ParquetNode): Set<ParquetNode> {
  const repeated = new Set<ParquetNode>();
  const visit = (node: ParquetNode, inRepeated: boolean): void => {
    const isRepeated = inRepeated || node.element.repetition_type === "REPEATED";
    if (node.element.type !== undefined && isRepeated) repeated.add(node);
    for (const child of node.children) visit(child, isRepeated);
  };
  for (const child of root.children) visit(child, false);
  return repeated;
}

/** Reads from ranges that are each fetched once, when first needed. */
function readerOf(ranges: readonly ByteRange[], read: ReadRange): ReadRange {
  const fetched = new Map<ByteRange, Promise<Uint8Array>>();
  return async ({ start, end }) => {
    const range = ranges.find((candidate) => candidate.start <= start && end <= candidate.end)!;
    const bytes = fetched.get(range) ?? read(range);
    fetched.set(range, bytes);
    return (await bytes).subarray(start - range.start, end - range.start);
  };
}
