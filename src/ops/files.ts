import type { RecordBatch } from "apache-arrow";
import type { DeletionVectorDescriptor } from "../log/actions.js";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { numRecordsOf } from "../log/numRecords.js";
import { decodePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { mapReader } from "../read/maps.js";

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

/** The columns that {@link dataFiles} reads. */
export const DATA_FILE_COLUMNS = [
  "path",
  "size",
  "modificationTime",
  "partitionValues",
  "stats",
  "deletionVector",
] as const;

/** The live files of a snapshot as objects. */
export async function listFiles(snapshot: Snapshot, signal?: AbortSignal): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for await (const batch of snapshot.fileBatches({ columns: DATA_FILE_COLUMNS, signal }))
    files.push(...dataFiles(batch));
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
