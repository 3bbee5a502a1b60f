import { makeData, RecordBatch, RecordBatchReader, Schema, Struct } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { checkSignal } from "../signal.js";
import type { ObjectStore } from "../storage/store.js";
import { type ParquetNode, pruneTree } from "./fileSchema.js";
import { type Footer, type ParquetFileRef, readFooter, unreadable } from "./footer.js";
import { JobFailed, parallelism, run } from "./pool.js";
import { readPart } from "./prune.js";
import { cutRuns, type Run, type Slice } from "./runs.js";

export interface ReadParquetOptions {
  /** Each a path to a column or to a whole subtree; undefined for all columns, `[]` for none. */
  readonly columns?: readonly (readonly string[])[] | undefined;
  /** Indexes of the row groups to read, in rising order; undefined for all. */
  readonly rowGroups?: readonly number[] | undefined;
  /** The file's footer, where it was read before. */
  readonly footer?: Footer | undefined;
  readonly signal?: AbortSignal | undefined;
}

// The default of the library, 1024, is three times slower.
const BATCH_ROWS = 122_880;
// Enough for every worker and one being fetched; more would only fill memory, with up to 48 MiB each.
const RUNS_AHEAD = Math.min(parallelism, 4) + 1;

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
  const rowGroups = checkRowGroups(footer, options.rowGroups);
  const root = pruneTree(footer.root, columns ?? [[]]);
  if (root === undefined) {
    for (const group of rowGroups) yield* emptyBatches(footer.rowGroups[group]!.rowCount);
    return;
  }
  const ended = new AbortController();
  const stop = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const slices = decodeRuns(store, footer, root, cutRuns(footer, root, rowGroups), signal, stop);
  try {
    const ahead: Promise<RecordBatch[]>[] = [];
    for (;;) {
      while (ahead.length < RUNS_AHEAD) {
        const next = slices.next();
        if (next.done) break;
        // A failure is reported when its turn comes.
        next.value.catch(() => {});
        ahead.push(next.value);
      }
      const batches = await ahead.shift();
      if (batches === undefined) return;
      for (const batch of batches) {
        checkSignal(signal, `reading ${file.path}`);
        yield batch;
      }
    }
  } finally {
    ended.abort();
  }
}

/** Begins one slice's reading and decoding per step. */
function* decodeRuns(
  store: ObjectStore,
  footer: Footer,
  root: ParquetNode,
  runs: readonly Run[],
  signal: AbortSignal | undefined,
  stop: AbortSignal,
): Generator<Promise<RecordBatch[]>, undefined> {
  for (const { rowGroups, slices } of runs) {
    const part = readPart(store, footer, { root, rowGroups }, stop);
    for (const slice of slices) {
      const whole = slices.length === 1;
      yield part.then((bytes) => decodeSlice(footer, whole ? bytes : bytes.slice(), slice, whole, signal));
    }
  }
}

async function decodeSlice(
  { file }: Footer,
  bytes: Uint8Array<ArrayBuffer>,
  slice: Slice,
  whole: boolean,
  signal: AbortSignal | undefined,
): Promise<RecordBatch[]> {
  const rows = whole ? {} : { offset: slice.offset, limit: slice.rowCount };
  try {
    const job = { kind: "decode", bytes, batchRows: BATCH_ROWS, ...rows } as const;
    const ipc = await run(job, Math.max(slice.arrowBytes, bytes.length), signal);
    const batches = [...RecordBatchReader.from(ipc)];
    const rowCount = batches.reduce((sum, batch) => sum + batch.numRows, 0);
    if (rowCount !== slice.rowCount)
      throw unreadable(file, `it has ${rowCount} rows where ${slice.rowCount} should be`);
    return batches;
  } catch (error) {
    if (error instanceof DeltaError) throw error;
    const reason = error instanceof JobFailed ? error.message : `its content is damaged (${error})`;
    throw unreadable(file, reason, error);
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
