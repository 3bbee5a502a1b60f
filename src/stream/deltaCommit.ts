import { DeltaError } from "../errors.js";
import type { AddFile, Metadata, Protocol } from "../log/actions.js";
import { columnMappingOf } from "../log/columnMapping.js";
import { forEachAction } from "../log/commitFile.js";
import type { Snapshot } from "../log/snapshot.js";
import { reusedNames } from "../schema/columnMapping.js";
import { parseSchema } from "../schema/json.js";
import { lostColumns } from "../schema/lostColumns.js";

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
 * what then, `DELTA_SCHEMA_CHANGED` where rows of the reader's schema can't hold what it adds, and `DELTA_LOG_CORRUPT`.
 */
export function streamedFiles(
  version: number,
  bytes: Uint8Array,
  reader: Snapshot,
  options: ChangeOptions,
): readonly AddFile[] {
  const { url } = reader.store;
  const { ignoreDeletes = false, ignoreChanges = false, skipChangeCommits = false } = options;
  const adds: AddFile[] = [];
  let removed: string | undefined;
  let metadata: Metadata | undefined;
  let { protocol } = reader;
  forEachAction(version, bytes, { commitInfo: false }, (action) => {
    if ("add" in action && action.add.dataChange) adds.push(action.add);
    else if ("remove" in action && action.remove.dataChange) removed ??= action.remove.path;
    else if ("metaData" in action) metadata = action.metaData;
    else if ("protocol" in action) protocol = action.protocol;
  });
  if (metadata !== undefined) checkSchema(version, protocol, metadata, reader);
  if (removed === undefined) return adds;
  if (skipChangeCommits) return [];
  if (ignoreChanges) return adds;
  if (adds.length > 0) throw changed(version, removed, url);
  if (!ignoreDeletes) throw deleted(version, removed, url);
  return [];
}

/** The stream's schema was read when it started; rows of a later one may have more. */
function checkSchema(version: number, protocol: Protocol, metadata: Metadata, reader: Snapshot): void {
  const schema = parseSchema(metadata.schemaString);
  const columns = lostColumns(reader, { schema, columnMapping: columnMappingOf(protocol, metadata) });
  if (columns.length > 0) throw schemaChanged(version, reader.store.url, columns);
}

/** The table's schema came to hold what the stream's doesn't. */
export function schemaChanged(version: number, url: string, columns: readonly string[]): DeltaError {
  return new DeltaError(
    "DELTA_SCHEMA_CHANGED",
    `Version ${version} of ${url} changes the schema the stream reads with: ${columns.join(", ")}. What came before it is done. Start the stream again: it then reads with the table's schema of today.`,
    { version, columns },
  );
}

/**
 * Checks, where a run goes on with files of a version, that the columns of today were not others then, under the same names. Throws
 * `DELTA_SCHEMA_CHANGED`.
 */
export function checkNames(then: Snapshot, reader: Snapshot): void {
  const columns = reusedNames(reader, then);
  if (columns.length === 0) return;
  const { version, store } = then;
  throw new DeltaError(
    "DELTA_SCHEMA_CHANGED",
    `The stream is at version ${version} of ${store.url}; since then columns were dropped and others got their names: ${columns.join(", ")}. So what was added then can't be told in today's columns. Begin a new stream with another checkpoint folder.`,
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
