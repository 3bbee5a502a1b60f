import { DeltaError } from "../errors.js";
import type { AddFile, Metadata } from "../log/actions.js";
import { forEachAction } from "../log/commitFile.js";
import { schemaDifferences } from "../schema/compare.js";
import { parseSchema } from "../schema/json.js";
import type { StructType } from "../schema/types.js";

/** What a stream does with commits that take rows away, in the words of Delta's streaming source for Spark. */
export interface ChangeOptions {
  /** Passes over commits that only delete. Default false: they are refused. */
  readonly ignoreDeletes?: boolean;
  /** Gives the files that updates, merges and overwrites write, rows that were there before among them. Default false: refused. */
  readonly ignoreChanges?: boolean;
  /** Passes over commits that delete or change rows, their new rows included. Default false: refused. */
  readonly skipChangeCommits?: boolean;
}

/**
 * The files of a commit that hold rows a stream has to give, in the commit's order: what `dataChange` says is new.
 *
 * Throws `DELTA_SOURCE_IGNORE_DELETE` and `DELTA_SOURCE_TABLE_IGNORE_CHANGES` where it takes rows away and the options don't say
 * what then, `DELTA_SCHEMA_CHANGED` where rows of `schema` can't hold what it adds, and `DELTA_LOG_CORRUPT`.
 */
export function streamedFiles(
  version: number,
  bytes: Uint8Array,
  schema: StructType,
  url: string,
  options: ChangeOptions,
): readonly AddFile[] {
  const { ignoreDeletes = false, ignoreChanges = false, skipChangeCommits = false } = options;
  const adds: AddFile[] = [];
  let removed: string | undefined;
  let metadata: Metadata | undefined;
  forEachAction(version, bytes, { commitInfo: false }, (action) => {
    if ("add" in action && action.add.dataChange) adds.push(action.add);
    else if ("remove" in action && action.remove.dataChange) removed ??= action.remove.path;
    else if ("metaData" in action) metadata = action.metaData;
  });
  if (metadata !== undefined) checkSchema(version, metadata, schema, url);
  if (removed === undefined) return adds;
  if (skipChangeCommits) return [];
  if (ignoreChanges) return adds;
  if (adds.length > 0) throw changed(version, removed, url);
  if (!ignoreDeletes) throw deleted(version, removed, url);
  return [];
}

/** The stream's schema was read when it started; rows of a later one may have more. */
function checkSchema(version: number, metadata: Metadata, schema: StructType, url: string): void {
  const differences = schemaDifferences(schema, parseSchema(metadata.schemaString));
  // A column that came later is null in older rows.
  const columns = differences
    .filter(({ kind, assignable }) => kind !== "missing" || !assignable)
    .map(({ column }) => column);
  if (columns.length > 0) throw schemaChanged(version, url, columns);
}

/** The table's schema came to hold what the stream's doesn't. */
export function schemaChanged(version: number, url: string, columns: readonly string[]): DeltaError {
  return new DeltaError(
    "DELTA_SCHEMA_CHANGED",
    `Version ${version} of ${url} changes the schema the stream reads with: ${columns.join(", ")}. What came before it is done. Start the stream again: it then reads with the table's schema of today.`,
    { version, columns },
  );
}

function deleted(version: number, path: string, url: string): DeltaError {
  return new DeltaError(
    "DELTA_SOURCE_IGNORE_DELETE",
    `Version ${version} of ${url} deletes rows (${path}), which a stream of added rows can't tell. Pass over such commits with ignoreDeletes or skipChangeCommits, or begin a new stream with another checkpoint folder.`,
    { version, path },
  );
}

function changed(version: number, path: string, url: string): DeltaError {
  return new DeltaError(
    "DELTA_SOURCE_TABLE_IGNORE_CHANGES",
    `Version ${version} of ${url} changes rows (${path}), which a stream of added rows can't tell. Pass over such commits with skipChangeCommits, or take all rows of the files they write with ignoreChanges: some of those rows come again.`,
    { version, path },
  );
}
