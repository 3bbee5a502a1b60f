import { limits } from "../limits.js";
import type { ByteRange, ObjectStore } from "../storage/store.js";
import { leavesOf, type ParquetNode } from "./fileSchema.js";
import { type Footer, readExactly, unreadable } from "./footer.js";
import { footerBytes, type PlacedChunk } from "./footerBytes.js";
import { int96Hint } from "./int96.js";
import { checkPages } from "./pageChecksums.js";
import type { StoredRanges } from "./storedRanges.js";

/** The part of a Parquet file that is wanted. */
export interface Part {
  /** The file's tree with the wanted columns only. */
  readonly root: ParquetNode;
  /** Indexes of row groups, rising. */
  readonly rowGroups: readonly number[];
  /** Whether pages are compared with their checksums, where they have some. */
  readonly checksPages?: boolean | undefined;
}

// A request to S3 costs as much as some hundred KiB more of a running one, but a projection should skip what it can.
const GAP_BYTES = 64 * 1024;

const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31); // "PAR1"

/** The chunks of a part in the order of the new file, which is row group by row group. */
export function chunksOf(footer: Footer, part: Part): PlacedChunk[][] {
  const wanted = new Set(leavesOf(part.root).map(({ path }) => path.join("\0")));
  const indexes = footer.leaves.flatMap(({ path }, index) => (wanted.has(path.join("\0")) ? [index] : []));
  let start = MAGIC.length;
  return part.rowGroups.map((group) =>
    indexes.map((index) => {
      const chunk = footer.rowGroups[group]!.chunks[index]!;
      const placed = { path: footer.leaves[index]!.path, chunk, start };
      start += chunk.end - chunk.start;
      return placed;
    }),
  );
}

/** The ranges to request for some chunks: neighbours and near neighbours in one. */
export function coalesce(chunks: readonly ByteRange[]): ByteRange[] {
  const ranges: { start: number; end: number }[] = [];
  for (const { start, end } of [...chunks].sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last !== undefined && start - last.end <= GAP_BYTES) last.end = Math.max(last.end, end);
    else ranges.push({ start, end });
  }
  return ranges;
}

/** Bytes of the file that the footer is of, from memory where it's small. */
export async function readRange(
  store: ObjectStore,
  { bytes, file }: Footer,
  { start, end }: ByteRange,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return bytes?.subarray(start, end) ?? readExactly(store, file, start, end, signal);
}

/**
 * Reads a part of a Parquet file and makes a standalone Parquet file of it: the wanted column chunks as they are, and
 * a footer that knows no others.
 */
export async function readPart(
  store: ObjectStore,
  footer: Footer,
  part: Part,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const rowGroups = placedGroups(footer, part);
  const chunks = rowGroups.flatMap((group) => group.chunks);
  const bytes = emptyFile(footer, part.root, rowGroups);
  await Promise.all(
    coalesce(chunks.map(({ chunk }) => chunk)).map(async (range) => {
      const source = await readRange(store, footer, range, signal);
      for (const { chunk, start: at } of chunks) {
        if (chunk.start < range.start || chunk.end > range.end) continue;
        const pages = source.subarray(chunk.start - range.start, chunk.end - range.start);
        if (part.checksPages) checkedPages(footer, pages);
        bytes.set(pages, at);
      }
    }),
  );
  return bytes;
}

/** A part as {@link readPart} makes it, of a file on this machine, that isn't read yet. */
export interface StoredPart {
  readonly stored: StoredRanges;
  /** What the part ends with. Its buffer is its own. */
  readonly tail: Uint8Array<ArrayBuffer>;
  readonly rowCount: number;
}

/** The part of the file at `path`, whose footer this is. */
export function storedPart(path: string, footer: Footer, part: Part): StoredPart {
  const rowGroups = placedGroups(footer, part);
  const { sizeBytes, tail } = endOf(footer, part.root, rowGroups);
  const ranges: { start: number; end: number; at: number }[] = [];
  for (const { chunk, start: at } of rowGroups.flatMap((group) => group.chunks)) {
    const last = ranges.at(-1);
    if (last?.end === chunk.start) last.end = chunk.end;
    else ranges.push({ start: chunk.start, end: chunk.end, at });
  }
  const rowCount = rowGroups.reduce((sum, group) => sum + group.rowCount, 0);
  return { stored: { path, sizeBytes, ranges }, tail, rowCount };
}

function placedGroups(footer: Footer, part: Part): PlacedGroup[] {
  const groups = chunksOf(footer, part);
  return part.rowGroups.map((group, i) => ({ rowCount: footer.rowGroups[group]!.rowCount, chunks: groups[i]! }));
}

function checkedPages({ file }: Footer, chunk: Uint8Array): void {
  try {
    checkPages(chunk);
  } catch (error) {
    throw error instanceof RangeError ? unreadable(file, error.message, error) : error;
  }
}

/**
 * A Parquet file of the row groups, whose chunks follow each other from byte 4 on, with room for their bytes. Its buffer
 * is its own, so it can be transferred to a worker.
 *
 * Its footer lacks the file's `ARROW:schema`, so that types follow from Parquet's alone: never views, large strings,
 * dictionaries or zones other than UTC. Throws `DELTA_PARQUET_UNREADABLE` beyond `MAX_PARQUET_PART_BYTES`.
 */
export function emptyFile(
  footer: Footer,
  root: ParquetNode,
  rowGroups: readonly PlacedGroup[],
): Uint8Array<ArrayBuffer> {
  const { sizeBytes, tail } = endOf(footer, root, rowGroups);
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(MAGIC);
  bytes.set(tail, sizeBytes - tail.length);
  return bytes;
}

interface PlacedGroup {
  readonly rowCount: number;
  readonly chunks: readonly PlacedChunk[];
}

/** What a file of these row groups ends with, and its size. */
function endOf(
  { createdBy, file }: Footer,
  root: ParquetNode,
  rowGroups: readonly PlacedGroup[],
): { readonly sizeBytes: number; readonly tail: Uint8Array<ArrayBuffer> } {
  const hint = int96Hint(root);
  const metadata = footerBytes({
    root,
    rowGroups,
    createdBy,
    keyValues: hint === undefined ? {} : { "ARROW:schema": hint },
  });
  const last = rowGroups.at(-1)?.chunks.at(-1);
  const tailStart = last === undefined ? MAGIC.length : last.start + last.chunk.end - last.chunk.start;
  if (tailStart > limits.MAX_PARQUET_PART_BYTES) {
    throw unreadable(file, `${tailStart} bytes of it would have to be decoded at once`);
  }
  const tail = new Uint8Array(metadata.length + 8);
  tail.set(metadata);
  new DataView(tail.buffer).setUint32(metadata.length, metadata.length, true);
  tail.set(MAGIC, metadata.length + 4);
  return { sizeBytes: tailStart + tail.length, tail };
}
