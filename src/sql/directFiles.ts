import type { Snapshot } from "../log/snapshot.js";
import type { ScanFile } from "../read/plan.js";
import type { StructField } from "../schema/types.js";
import { quoteName } from "./duckdb.js";
import { type DirectRead, directRead, readParquet, selected } from "./tableView.js";

/** A file that DuckDB reads by itself, and how. */
export interface DirectFile<File> {
  readonly file: File;
  readonly read: DirectRead;
}

/** DuckDB's own columns of a file's rows. */
export const [FILE_INDEX, ROW_NUMBER] = ["file_index", "file_row_number"] as const;

/** Those of the files whose columns, and places of rows, DuckDB reads by itself. Of files elsewhere nothing is looked at. */
export async function directFiles<File extends ScanFile>(
  snapshot: Snapshot,
  files: readonly File[],
  fields: readonly StructField[],
  signal: AbortSignal | undefined,
): Promise<DirectFile<File>[]> {
  if (snapshot.store.localPath === undefined || snapshot.columnMapping !== "none") return [];
  const isPartition = ({ name }: StructField) => snapshot.metadata.partitionColumns.includes(name);
  const columns = {
    stored: fields.filter((field) => !isPartition(field) && field.type !== "void"),
    constant: fields.filter(isPartition),
    // A file's own columns of those names would hide them.
    lacking: [FILE_INDEX, ROW_NUMBER],
  };
  const reads = await Promise.all(
    files.map(async (file) => ({ file, read: await directRead(snapshot, file, columns, signal) })),
  );
  return reads.flatMap(({ file, read }) => (read === undefined ? [] : [{ file, read }]));
}

/** Files of the same columns and constants, in their order. */
export function alikeFiles<File>(direct: readonly DirectFile<File>[]): (readonly DirectFile<File>[])[] {
  const groups = new Map<string, DirectFile<File>[]>();
  for (const one of direct) {
    const key = JSON.stringify([[...one.read.constants], one.read.present]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/** What the columns of such files, and others, are selected from. */
export function directRows(
  files: readonly DirectFile<unknown>[],
  fields: readonly StructField[],
  others: readonly string[],
): string {
  const { constants, present } = files[0]!.read;
  const columns = fields.map((field) => {
    const isThere = present.includes(field.name);
    return selected(field, constants.get(field.name) ?? (isThere ? quoteName(field.name) : "NULL"));
  });
  return `SELECT ${[...columns, ...others].join(", ")} FROM ${readParquet(files.map(({ read }) => read.path))}`;
}
