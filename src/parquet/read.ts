import { makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { checkSignal } from "../signal.js";
import type { ObjectStore } from "../storage/store.js";
import { BATCH_ROWS, damaged, decodeFile, decodeStored } from "./decodeFile.js";
import { leavesOf, type ParquetNode, pruneTree } from "./fileSchema.js";
import { type Footer, type ParquetFileRef, readFooter } from "./footer.js";
import { inGregorianCalendar } from "./hybridCalendar.js";
import { parallelism } from "./pool.js";
import { type Part, readPart, storedPart } from "./prune.js";
import type { RowRange } from "./readRows.js";
import { RowGroupPieces } from "./rowGroupPieces.js";
import { cutBatches, type PartialRun, partOf, type Step, type Stretch, stretchesOf } from "./rowStretches.js";
import { columnParts, cutRuns, dictionaryBytes, type Run } from "./runs.js";
import { Weaver } from "./weaver.js";

export interface ReadParquetOptions {
  /** Each a path to a column or to a whole subtree; undefined for all columns, `[]` for none. */
  readonly columns?: readonly (readonly string[])[] | undefined;
  /** Indexes of the row groups to read, in rising order; undefined for all. */
  readonly rowGroups?: readonly number[] | undefined;
  /** Rows to read, counted from the file's begin, instead of row groups: rising, with rows between them. No batch spans two. */
  readonly ranges?: readonly RowRange[] | undefined;
  /** The file's footer, where it was read before. */
  readonly footer?: Footer | undefined;
  /** Arrow bytes that are decoded at once, about: 2 MiB where it's left out. */
  readonly pieceBytes?: number | undefined;
  /** Whether a row group comes a piece at a time although it would be read faster at once: for who may stop soon. */
  readonly inPieces?: boolean | undefined;
  /** Whether pages are compared with their checksums, where the writer left some: it takes a tenth of the time. */
  readonly checksPages?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

// Larger pieces take more memory and aren't faster.
const PIECE_BYTES = 2 * 1024 * 1024;
/** How many pieces' bytes of columns that can't be cut are decoded at once. */
const WHOLE_PIECES = 32;
/** How many pieces' bytes aren't worth cutting: pages on borders and dictionaries cost more than a thread gains. */
const UNCUT_PIECES = 4;
/** How many pieces' bytes of a row group are decoded at once, each column by itself. */
const COLUMNWISE_PIECES = 32;
/** How much larger than its dictionaries a piece should be. */
const DICTIONARY_SHARE = 8;
/** Arrow bytes of which a worker reads the file by itself. */
const WORKER_BYTES = 1024 * 1024;
// Enough for every worker and one being fetched; more would only fill memory.
const RUNS_AHEAD = Math.min(parallelism, 4) + 1;
/** Arrow bytes beyond which no further rows are begun, until rows are asked for behind the first, and from then on. */
const AHEAD_BYTES = { first: 16 * 1024 * 1024, later: 64 * 1024 * 1024 };

/**
 * Reads a Parquet file: the bytes of the wanted columns and row groups only, decoded in worker threads where that
 * takes long, with the next row groups on their way while the caller works on these. Yields batches of at most 122,880
 * rows in the file's order, none for a file without rows. Ending the loop early stops the requests.
 *
 * Columns that the file lacks are absent from the batches; where it has none of those wanted, batches have no columns
 * but the right number of rows. A path into a list or a map brings all of it.
 *
 * Arrow types, by the Parquet type: BOOLEAN Bool; INT32 Int32, or Int8/16, Uint8/16/32, Date32 (`DateDay`), Time32,
 * Decimal128 by its annotation; INT64 Int64, or Uint64, Time64, Decimal128, Timestamp in the file's unit (ms, us, ns),
 * with the zone "UTC" where adjusted to UTC and none otherwise; INT96 Timestamp(us, "UTC"); FLOAT, DOUBLE; BYTE_ARRAY
 * Binary, Utf8 (string, enum, JSON) or Decimal128; FIXED_LEN_BYTE_ARRAY FixedSizeBinary, Decimal128 (Decimal256 above 38
 * digits), Float16 or Interval; lists in all their forms List, maps Map, other groups Struct. Never views, large types or
 * dictionaries. Fields with an id carry it as metadata `PARQUET:field_id`.
 *
 * Throws `DELTA_PARQUET_UNREADABLE` naming the file, `DELTA_ABORTED`, and what the store throws.
 */
export async function* readParquet(
  store: ObjectStore,
  file: ParquetFileRef,
  options: ReadParquetOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const { columns, signal } = options;
  checkSignal(signal, `reading ${file.path}`);
  const footer = options.footer ?? (await readFooter(store, file, signal));
  const stretches = options.ranges
    ? options.ranges.flatMap((range) => stretchesOf(footer, range))
    : [{ rowGroups: checkRowGroups(footer, options.rowGroups) }];
  const root = pruneTree(footer.root, columns ?? [[]]);
  if (root === undefined) {
    for (const { rowGroups, rows } of stretches) {
      if (rows !== undefined) yield* emptyBatches(rows.end - rows.start);
      else for (const group of rowGroups) yield* emptyBatches(footer.rowGroups[group]!.rowCount);
    }
    return;
  }
  const ended = new AbortController();
  const stop = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const { pieceBytes = PIECE_BYTES, inPieces = false, checksPages } = options;
  const runs = decodeRuns({ store, footer, root, pieceBytes, inPieces, checksPages, signal, stop }, stretches);
  try {
    const ahead: Step[] = [];
    let limit = AHEAD_BYTES.first;
    for (;;) {
      while (ahead.length < RUNS_AHEAD && ahead.reduce((sum, { arrowBytes }) => sum + arrowBytes, 0) < limit) {
        const next = runs.next();
        if (next.done) break;
        // A failure is reported when its turn comes.
        next.value.batches.catch(() => {});
        ahead.push(next.value);
      }
      const batches = await ahead.shift()?.batches;
      if (batches === undefined) return;
      limit = AHEAD_BYTES.later;
      for (const batch of batches) {
        checkSignal(signal, `reading ${file.path}`);
        yield footer.calendar === undefined ? batch : inGregorianCalendar(batch, footer.calendar);
      }
    }
  } finally {
    ended.abort();
  }
}

interface Reading {
  readonly store: ObjectStore;
  readonly footer: Footer;
  readonly root: ParquetNode;
  readonly pieceBytes: number;
  readonly inPieces: boolean;
  readonly checksPages: boolean | undefined;
  readonly signal: AbortSignal | undefined;
  /** Fires too when nobody wants the rest any more. */
  readonly stop: AbortSignal;
}

/** Begins the reading and decoding of some rows per step. */
function* decodeRuns(reading: Reading, stretches: readonly Stretch[]): Generator<Step, undefined> {
  const { footer, root, pieceBytes, inPieces } = reading;
  for (const { rowGroups, rows } of stretches) {
    for (const whole of cutRuns(footer, root, rowGroups, pieceBytes)) {
      const run = rows === undefined ? whole : partOf(whole, rows);
      const pieceCount = pieceCountOf(reading, run);
      const { arrowBytes } = run;
      if (pieceCount === 1) {
        yield { batches: decodePart(reading, { root, rowGroups: run.rowGroups }, run), arrowBytes };
      } else if (!inPieces && arrowBytes <= pieceBytes * COLUMNWISE_PIECES) {
        yield { batches: decodeColumns(reading, run), arrowBytes };
      } else if (rows === undefined) yield* decodePieces(reading, run, pieceCount);
      else yield* cutBatches(decodePieces(reading, whole, pieceCountOf(reading, whole)), rows);
    }
  }
}

type DecodedRun = Pick<PartialRun, "rowCount" | "arrowBytes" | "offset">;

async function decodePart(
  { store, footer, checksPages, signal, stop }: Reading,
  part: Part,
  { rowCount, arrowBytes, offset }: DecodedRun,
): Promise<RecordBatch[]> {
  const inWorker = arrowBytes >= WORKER_BYTES && !checksPages && footer.bytes === undefined;
  const path = inWorker ? store.localPath?.(footer.file.path) : undefined;
  const stored =
    path && (await decodeStored(footer.file, { ...storedPart(path, footer, part), rowCount, offset }, signal));
  if (stored) return stored;
  const bytes = await readPart(store, footer, { ...part, checksPages }, stop);
  return decodeFile(footer.file, { bytes, rowCount, offset }, arrowBytes, signal);
}

/** Decodes a row group with the workers sharing its columns. */
async function decodeColumns(
  reading: Reading,
  { rowGroups, rowCount, offset, share = 1 }: PartialRun,
): Promise<RecordBatch[]> {
  const { footer, root, pieceBytes } = reading;
  const parts = columnParts(footer, root, rowGroups[0]!, pieceBytes * UNCUT_PIECES);
  const decoded = await Promise.all(
    parts.map((part) =>
      decodePart(reading, { root: part.root, rowGroups }, { rowCount, arrowBytes: part.arrowBytes * share, offset }),
    ),
  );
  const weaver = new Weaver(root);
  for (const [i, batches] of decoded.entries()) weaver.add(batches, leavesOf(parts[i]!.root).length, 0);
  return [...weaver.ready()];
}

function pieceCountOf({ footer, root, pieceBytes }: Reading, { rowGroups, rowCount, arrowBytes }: Run): number {
  const leaves = leavesOf(root).map(({ path }) => path.join("\0"));
  // Columns of one name couldn't be told apart when they are put together again.
  if (rowGroups.length > 1 || new Set(leaves).size < leaves.length) return 1;
  if (arrowBytes <= pieceBytes * UNCUT_PIECES) return 1;
  // Every piece begins with its columns' dictionaries.
  const dictionaries = dictionaryBytes(footer, root, rowGroups[0]!) * DICTIONARY_SHARE;
  const bytes = Math.min(Math.max(pieceBytes, dictionaries), pieceBytes * WHOLE_PIECES);
  return Math.min(Math.ceil(arrowBytes / bytes), rowCount);
}

/** Decodes a row group too large to be decoded at once. */
function* decodePieces(
  reading: Reading,
  { rowGroups, rowCount, arrowBytes }: Run,
  pieceCount: number,
): Generator<Step, undefined> {
  const { store, footer, root, pieceBytes, checksPages, signal, stop } = reading;
  const part = { root, rowGroup: rowGroups[0]!, checksPages };
  const sizes = { pieceRows: rowCount / pieceCount, wholeBytes: pieceBytes * WHOLE_PIECES };
  const pieces = new RowGroupPieces(store, footer, part, sizes, stop);
  const weaver = new Weaver(root);
  let taken: Promise<unknown> = Promise.resolve();
  let woven: Promise<unknown> = Promise.resolve();
  for (let i = 1; i <= pieceCount; i++) {
    const until = Math.ceil((rowCount * i) / pieceCount);
    const next = taken.then(() => pieces.take(until));
    const decoded = next.then((found) =>
      Promise.all(found.map((piece) => decodeFile(footer.file, piece, arrowBytes / pieceCount, signal))),
    );
    const batches = Promise.all([next, decoded, woven]).then(([found, decodedPieces]) => {
      for (const [at, { leafCount, firstRow }] of found.entries()) {
        weaver.add(decodedPieces[at]!, leafCount, firstRow);
      }
      return [...weaver.ready()];
    });
    taken = next;
    woven = batches;
    const checked = batches.catch((error) => {
      throw error instanceof RangeError ? damaged(footer.file, error) : error;
    });
    yield { batches: checked, arrowBytes: arrowBytes / pieceCount };
  }
}

function* emptyBatches(rowCount: number): Generator<RecordBatch> {
  const type = new Struct<Record<string, never>>([]);
  for (let done = 0; done < rowCount; done += BATCH_ROWS) {
    const length = Math.min(BATCH_ROWS, rowCount - done);
    yield new RecordBatch(new Schema([]), makeData({ type, length, nullCount: 0, children: [] }));
  }
}

function checkRowGroups(footer: Footer, chosen: readonly number[] | undefined): readonly number[] {
  if (chosen === undefined) return footer.rowGroups.map((_, index) => index);
  const isRising = chosen.every((group, i) => i === 0 || group > chosen[i - 1]!);
  if (!isRising || chosen.some((group) => footer.rowGroups[group] === undefined)) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `Row groups ${chosen.join(", ")} of ${footer.file.path} were asked for, which has ${footer.rowGroups.length}. ` +
        "Name existing ones, in rising order.",
      { path: footer.file.path, rowGroups: chosen },
    );
  }
  return chosen;
}
