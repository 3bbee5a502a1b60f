import type { RecordBatch } from "apache-arrow";
import { loaded } from "../lazy.js";
import type { StructField } from "../schema/types.js";
import type { PassedRowGroups } from "./checkpointRead.js";
import type { SnapshotFiles } from "./snapshotFiles.js";
import { type FileKind, tailRows } from "./tailRows.js";

/** The rows of a kind that the snapshot sees: the checkpoint's, as far as no later commit touched them, then the tail's. */
export async function* fileRows(
  files: SnapshotFiles,
  kind: FileKind,
  fields: readonly StructField[],
  signal?: AbortSignal,
  passed?: PassedRowGroups,
): AsyncGenerator<RecordBatch> {
  const { checkpoint, tail, version } = files;
  if (checkpoint !== undefined) {
    const { checkpointRows } = await loaded(() => import("./checkpointRows.js"), "delta-table/log/checkpointRows");
    yield* checkpointRows(files, checkpoint, kind, fields, signal, passed);
  }
  yield* tailRows(tail, version, kind, fields);
}
