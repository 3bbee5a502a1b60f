import type { RecordBatch } from "apache-arrow";
import { loaded } from "../lazy.js";
import type { DeletionVectorDescriptor } from "../log/actions.js";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { numRecordsOf } from "../log/numRecords.js";
import { decodePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import type { FileBatchOptions } from "../log/snapshotFiles.js";
import { mapReader } from "../read/maps.js";
import { checkTimeZone } from "./scan.js";
import { predicateOf, type WhereOption } from "./where.js";

/** A live data file, as the log records it. */
export interface DataFile {
  /** Relative to the table's root (or an absolute URI), not percent-encoded. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modificationTime: number;
  /** Values as the log holds them: texts, null for null; by physical names where columns are mapped. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** Rows in the file, where the statistics tell; those that a deletion vector removes are among them. */
  readonly numRecords?: number;
  /** The statistics' JSON text, where there are any. */
  readonly stats?: string;
  /** Which of the file's rows are removed, where any are (PROTOCOL.md, Deletion Vectors). */
  readonly deletionVector?: DeletionVectorDescriptor;
}

/** Which files of a table to list. */
export interface FilesOptions<Row extends object = Record<string, unknown>> {
  /**
   * Only files that may hold rows for which this is true (not null), by partition values and statistics; no data file is read. A file
   * may be listed whose rows a deletion vector removes.
   */
  readonly where?: WhereOption<Row>;
  /** The time zone of timestamp partition values that carry none (an IANA name). UTC by default. */
  readonly partitionTimeZone?: string;
  readonly signal?: AbortSignal;
}

/** Which files of a table to list, and which of their columns. */
export interface ListedBatchOptions<Row extends object = Record<string, unknown>>
  extends FilesOptions<Row>,
    FileBatchOptions {}

/** The columns that {@link dataFiles} reads. */
export const DATA_FILE_COLUMNS = [
  "path",
  "size",
  "modificationTime",
  "partitionValues",
  "stats",
  "deletionVector",
] as const;

/** Implements `Table.fileBatches` with a condition; see there. */
export async function* chosenFileBatches<Row extends object>(
  snapshot: Snapshot,
  { where, partitionTimeZone, ...options }: ListedBatchOptions<Row>,
): AsyncGenerator<RecordBatch> {
  checkTimeZone(partitionTimeZone);
  const predicate = await predicateOf(where, snapshot.schema);
  if (predicate === undefined) return yield* snapshot.fileBatches(options);
  const { chosenFiles } = await loaded(() => import("../read/fileChoice.js"), "delta-table/read");
  yield* chosenFiles(snapshot, predicate, { ...options, partitionTimeZone });
}

/** The live files of a snapshot as objects. */
export async function listFiles<Row extends object>(
  snapshot: Snapshot,
  options: FilesOptions<Row> = {},
): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for await (const batch of chosenFileBatches(snapshot, { ...options, columns: DATA_FILE_COLUMNS })) {
    files.push(...dataFiles(batch));
  }
  return files;
}

/** The files of a batch that `fileBatches` gave with {@link DATA_FILE_COLUMNS}. */
export function dataFiles(batch: RecordBatch): DataFile[] {
  const column = (name: string) => batch.getChild(name)!;
  const [paths, sizes, times, stats] = ["path", "size", "modificationTime", "stats"].map(column);
  const partitionValues = mapReader(batch, "partitionValues");
  const deletionVectors = descriptorReader(batch);
  return Array.from({ length: batch.numRows }, (_, row) => {
    const text: string | null = stats.get(row);
    const numRecords = numRecordsOf(text);
    const deletionVector = deletionVectors(row);
    return {
      path: decodePath(paths.get(row)),
      size: Number(sizes.get(row)),
      modificationTime: Number(times.get(row)),
      partitionValues: Object.fromEntries(partitionValues(row)),
      ...(numRecords === undefined ? {} : { numRecords }),
      ...(text === null ? {} : { stats: text }),
      ...(deletionVector === undefined ? {} : { deletionVector }),
    };
  });
}
