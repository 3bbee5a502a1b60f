import type { ColumnChunk, FileMetaData } from "hyparquet";
import { CompressionCodecs, Encodings, ParquetTypes } from "hyparquet/src/constants.js";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import type { ByteRange, ObjectStore } from "../storage/store.js";
import { leavesOf, type ParquetNode, parquetTree } from "./fileSchema.js";
import { type HybridCalendar, hybridCalendar } from "./hybridCalendar.js";
import { ThriftWalker } from "./thrift.js";

/** A data file as the log names it. */
export interface ParquetFileRef {
  /** Relative to the store's root, not percent-encoded. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** What a Parquet file's footer says, checked against the file's size. */
export interface Footer {
  readonly file: ParquetFileRef;
  readonly rowCount: number;
  readonly root: ParquetNode;
  /** The columns with values: `leaves[i]` describes `chunks[i]` of each row group. */
  readonly leaves: readonly ParquetNode[];
  readonly rowGroups: readonly RowGroup[];
  /** Whether the first row group names its columns as the schema does: a sound file says it twice. */
  readonly namesAgree: boolean;
  readonly createdBy: string | undefined;
  /** Undefined where days are counted as everybody does now. */
  readonly calendar: HybridCalendar | undefined;
  /** The whole file, where it is so small that reading its footer brought it. */
  readonly bytes: Uint8Array | undefined;
}

export interface RowGroup {
  readonly rowCount: number;
  readonly chunks: readonly Chunk[];
}

/** One column's pages in one row group; offsets count from the file's begin. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly dataPageOffset: number;
  readonly dictionaryPageOffset: number | undefined;
  /** Nulls included; more than rows in a list. */
  readonly valueCount: number;
  /** How many of the values are null, where the writer counted them. */
  readonly nullCount: number | undefined;
  readonly uncompressedBytes: number;
  /** `type`, `codec` and `encodings` as parquet.thrift numbers them. */
  readonly type: number;
  readonly codec: number;
  readonly encodings: readonly number[];
  /** Where the file says between which values each page lies, and in which row it begins; undefined where it doesn't. */
  readonly pageIndex?: { readonly columnIndex: ByteRange; readonly offsetIndex: ByteRange } | undefined;
}

// Footers are mostly a few KiB; the price of reading more is small beside a second request.
const TAIL_BYTES = 64 * 1024;
const MAGIC = 0x31524150; // "PAR1"
const ENCRYPTED_MAGIC = 0x45524150; // "PARE"

/**
 * Reads a Parquet file's footer with one request, or two where it is longer than 64 KiB. A file of at most 64 KiB has
 * then been read whole.
 *
 * Throws `DELTA_PARQUET_UNREADABLE` for a file that is cut, damaged, encrypted, of another size than `file.sizeBytes`, or
 * whose footer is beyond `MAX_FOOTER_BYTES` or `MAX_FOOTER_VALUES`, and what the store throws.
 */
export async function readFooter(store: ObjectStore, file: ParquetFileRef, signal?: AbortSignal): Promise<Footer> {
  const { path, sizeBytes } = file;
  if (!(sizeBytes >= 12)) throw unreadable(file, `it has ${sizeBytes} bytes, too few for a Parquet file`);
  const start = Math.max(0, sizeBytes - TAIL_BYTES);
  const tail = await readExactly(store, file, start, sizeBytes, signal);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const magic = view.getUint32(tail.length - 4, true);
  if (magic === ENCRYPTED_MAGIC) throw unreadable(file, "its footer is encrypted");
  if (magic !== MAGIC) throw unreadable(file, "it doesn't end as a Parquet file does");
  const footerLength = view.getUint32(tail.length - 8, true);
  if (footerLength > limits.MAX_FOOTER_BYTES) throw unreadable(file, `its footer claims to have ${footerLength} bytes`);
  if (footerLength > sizeBytes - 12) throw unreadable(file, "its footer claims to be longer than the file");
  const footerStart = sizeBytes - 8 - footerLength;
  let footer = tail.subarray(Math.max(0, footerStart - start));
  if (footerStart < start) {
    const head = await readExactly(store, file, footerStart, start, signal);
    footer = new Uint8Array(footerLength + 8);
    footer.set(head);
    footer.set(tail, head.length);
  }
  try {
    new ThriftWalker(footer.subarray(0, footerLength)).struct();
    const metadata = parquetMetadata(footer, { geoparquet: false });
    return interpret({ path, sizeBytes }, metadata, footerStart, start === 0 ? tail : undefined);
  } catch (error) {
    throw unreadable(file, `its footer is damaged (${error instanceof Error ? error.message : error})`, error);
  }
}

/** The error for a Parquet file that can't be read; `reason` completes "…: ". */
export function unreadable(file: ParquetFileRef, reason: string, cause?: unknown): DeltaError {
  return new DeltaError(
    "DELTA_PARQUET_UNREADABLE",
    `The Parquet file ${file.path} can't be read: ${reason}. Restore the file, or remove it from the table.`,
    { path: file.path, sizeBytes: file.sizeBytes },
    cause,
  );
}

/** Bytes `start` to `end` of a file, all of them or `DELTA_PARQUET_UNREADABLE`. */
export async function readExactly(
  store: ObjectStore,
  file: ParquetFileRef,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await store.get(file.path, { start, end }, signal);
  if (bytes.length !== end - start) {
    const found = start + bytes.length;
    throw unreadable(file, `the log gives it ${file.sizeBytes} bytes, but it ends at byte ${found}`);
  }
  return bytes;
}

function interpret(
  file: ParquetFileRef,
  metadata: FileMetaData,
  footerStart: number,
  bytes: Uint8Array | undefined,
): Footer {
  const root = parquetTree(metadata.schema);
  const leaves = leavesOf(root);
  const rowGroups = metadata.row_groups.map((group) => {
    if (group.columns.length !== leaves.length) throw new RangeError("a row group lacks columns");
    const rowCount = count(group.num_rows);
    // Offsets of a row group without rows may point anywhere; nobody follows them.
    return {
      rowCount,
      chunks: rowCount === 0 ? [] : group.columns.map((column) => interpretChunk(column, footerStart)),
    };
  });
  const rowCount = rowGroups.reduce((sum, group) => sum + group.rowCount, 0);
  const chunkBytes = rowGroups.flatMap((group) => group.chunks).reduce((sum, { start, end }) => sum + end - start, 0);
  if (chunkBytes > footerStart) throw new RangeError("its columns' data overlaps");
  if (rowCount !== count(metadata.num_rows)) throw new RangeError("its row counts don't add up");
  const namesAgree =
    metadata.row_groups[0]?.columns.every((column, i) => isSamePath(column.meta_data?.path_in_schema, leaves[i]!)) ??
    true;
  const keyValues = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? ""]));
  const calendar = hybridCalendar(keyValues, root);
  return { file, rowCount, root, leaves, rowGroups, namesAgree, createdBy: metadata.created_by, calendar, bytes };
}

function isSamePath(path: readonly string[] | undefined, leaf: ParquetNode): boolean {
  return path?.length === leaf.path.length && path.every((name, i) => name === leaf.path[i]);
}

function interpretChunk(column: ColumnChunk, footerStart: number): Chunk {
  const facts = column.meta_data;
  if (column.crypto_metadata !== undefined || column.encrypted_column_metadata !== undefined) {
    throw new RangeError("a column is encrypted");
  }
  if (facts === undefined || column.file_path) throw new RangeError("a column's data is in another file");
  const dataPageOffset = count(facts.data_page_offset);
  const dictionary = count(facts.dictionary_page_offset ?? 0n);
  // Some writers give 0, or the data's own offset, where there is no dictionary.
  const dictionaryPageOffset = dictionary > 0 && dictionary < dataPageOffset ? dictionary : undefined;
  const start = dictionaryPageOffset ?? dataPageOffset;
  const end = start + count(facts.total_compressed_size);
  if (start < 4 || end > footerStart) throw new RangeError("a column's data lies outside the file");
  const nullCount = facts.statistics?.null_count;
  return {
    start,
    end,
    dataPageOffset,
    dictionaryPageOffset,
    valueCount: count(facts.num_values),
    nullCount: nullCount === undefined ? undefined : count(nullCount),
    uncompressedBytes: count(facts.total_uncompressed_size),
    type: known(ParquetTypes.indexOf(facts.type)),
    codec: known(CompressionCodecs.indexOf(facts.codec)),
    encodings: facts.encodings.map((encoding) => Encodings.indexOf(encoding)).filter((index) => index >= 0),
    pageIndex: pageIndexOf(column, end, footerStart),
  };
}

/** Nothing but speed depends on it: one that lies elsewhere than behind the data is as good as none. */
function pageIndexOf(column: ColumnChunk, dataEnd: number, footerStart: number): Chunk["pageIndex"] {
  const rangeOf = (offset: bigint | undefined, length: number | undefined): ByteRange | undefined => {
    const start = Number(offset);
    if (!(start >= dataEnd && length !== undefined && length > 0 && start + length <= footerStart)) return undefined;
    return { start, end: start + length };
  };
  const columnIndex = rangeOf(column.column_index_offset, column.column_index_length);
  const offsetIndex = rangeOf(column.offset_index_offset, column.offset_index_length);
  return columnIndex && offsetIndex && { columnIndex, offsetIndex };
}

function count(value: bigint): number {
  const result = Number(value);
  if (!Number.isSafeInteger(result) || result < 0) throw new RangeError(`${value} isn't a count`);
  return result;
}

function known(index: number): number {
  if (index < 0) throw new RangeError("it uses a type or a codec that Parquet doesn't have");
  return index;
}
