import type { RecordBatch } from "apache-arrow";
import type { AddFile, DeletionVectorDescriptor } from "../log/actions.js";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { numRecordsOf } from "../log/numRecords.js";
import { storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import type { Predicate } from "../schema/predicate.js";
import { ADD_COLUMNS, addReader } from "./fileActions.js";
import { FileChoice } from "./fileChoice.js";
import { mapReader, NO_VALUES } from "./maps.js";
import type { RowTrackingFacts } from "./trackedColumns.js";

/** A data file that a scan has to look at. */
export interface ScanFile {
  /** In the store; not percent-encoded. */
  readonly path: string;
  readonly sizeBytes: number;
  /** The log's texts by partition column, under physical names where columns are mapped. */
  readonly partitionValues: ReadonlyMap<string, string | null>;
  /** Whether the predicate holds for every row by partition values and statistics alone, or has to be evaluated. */
  readonly match: "all" | "some";
  /** Rows in the file, removed ones among them, by the statistics; undefined where there are none. */
  readonly numRecords: number | undefined;
  /** Says which of the file's rows are removed; undefined where none is. */
  readonly deletionVector: DeletionVectorDescriptor | undefined;
  /** Of the rows left, only those that this vector names. */
  readonly within?: DeletionVectorDescriptor | undefined;
  /** Partition columns whose values are in this file all the same, row by row. */
  readonly storedColumns?: ReadonlySet<string>;
  /** Where it was asked for. */
  readonly rowTracking?: RowTrackingFacts | undefined;
  /** What the log says of the file, where it was asked for. */
  readonly add?: AddFile | undefined;
}

export interface PlanOptions {
  readonly predicate?: Predicate;
  /** The zone of zone-less timestamp partition values; UTC by default. */
  readonly partitionTimeZone?: string;
  readonly signal?: AbortSignal;
}

/**
 * The files of `snapshot` that may hold rows for which the predicate is true, in the log's order: partition pruning and
 * data skipping on statistics; without those of which a deletion vector removes every row. Statistics are decoded only where something asks for them.
 */
export async function* planFiles(
  snapshot: Snapshot,
  options: PlanOptions & { readonly rowTracking?: boolean; readonly withAdd?: boolean } = {},
): AsyncGenerator<ScanFile> {
  const { predicate, partitionTimeZone: timeZone, rowTracking = false, withAdd = false, signal } = options;
  const { partitionColumns } = snapshot.metadata;
  const choice = predicate === undefined ? undefined : new FileChoice(snapshot, predicate, timeZone);
  const some = rowTracking ? [...COLUMNS, ...ROW_TRACKING_COLUMNS] : COLUMNS;
  const columns = withAdd ? ADD_COLUMNS : some;
  for await (const batch of snapshot.fileBatches({ columns, signal })) {
    const paths = batch.getChild("path")!;
    const sizes = batch.getChild("size")!;
    const stats = batch.getChild("stats");
    const partitionValues = mapReader(batch, "partitionValues");
    const deletionVectors = descriptorReader(batch);
    const tracking = rowTracking ? rowTrackingReader(batch) : undefined;
    const addOf = withAdd ? addReader(batch) : undefined;
    const matchOf = await choice?.matches(batch);
    for (let row = 0; row < batch.numRows; row++) {
      const match = matchOf?.(row) ?? "all";
      if (match === "none") continue;
      const values = partitionColumns.length === 0 ? NO_VALUES : partitionValues(row);
      const text: string | null = stats?.get(row) ?? null;
      const numRecords = numRecordsOf(text);
      const deletionVector = deletionVectors(row);
      if (deletionVector !== undefined && deletionVector.cardinality === numRecords) continue;
      yield {
        path: storePath(snapshot.store, paths.get(row)),
        sizeBytes: Number(sizes.get(row)),
        partitionValues: values,
        match,
        numRecords,
        deletionVector,
        rowTracking: tracking?.(row),
        add: addOf?.(row),
      };
    }
  }
}

const COLUMNS = ["path", "size", "partitionValues", "stats", "deletionVector"] as const;
const ROW_TRACKING_COLUMNS = ["baseRowId", "defaultRowCommitVersion"] as const;

function rowTrackingReader(batch: RecordBatch): (row: number) => RowTrackingFacts {
  const [ids, versions] = ROW_TRACKING_COLUMNS.map((name) => batch.getChild(name)!);
  return (row) => ({ baseRowId: ids!.get(row), defaultRowCommitVersion: versions!.get(row) });
}
