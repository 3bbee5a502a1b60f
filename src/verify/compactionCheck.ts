import { DeltaError } from "../errors.js";
import type { Action, AddFile, Metadata, Protocol, RemoveFile } from "../log/actions.js";
import { forEachAction } from "../log/commitFile.js";
import type { Compaction } from "../log/compactions.js";
import { decodePath } from "../log/paths.js";
import { readCommits, readLogFile } from "../log/readCommits.js";
import { StateBuilder, type TableState } from "../log/state.js";
import { stateDifferences } from "../log/stateDifferences.js";
import type { ObjectStore } from "../storage/store.js";
import { nameOf } from "./checkpointCheck.js";
import { recordOf } from "./fileRecord.js";
import { FileTable } from "./fileTable.js";
import type { Findings } from "./findings.js";

export interface CompactionCheckOptions {
  /** The versions whose commits are there. */
  readonly commits: ReadonlySet<number>;
  /** Whether the table forgets progress in time, and compactions may too. */
  readonly forgetsTransactions: boolean;
  readonly findings: Findings;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares a log compaction with the commits that it takes the place of, which are read again (PROTOCOL.md, Log Compaction Files);
 * where they aren't there or can't be read, that is told. False where the compaction can't be read.
 */
export async function checkCompaction(
  store: ObjectStore,
  compaction: Compaction,
  { commits, forgetsTransactions, findings, signal }: CompactionCheckOptions,
): Promise<boolean> {
  const { version, endVersion, path } = compaction;
  const place = { version: endVersion, path };
  const found = await actionsIn(store, compaction, signal);
  if ("error" in found) {
    const { code, data, message } = found.error;
    findings.add("compaction-unreadable", message, place, { ...data, cause: code });
    return false;
  }
  const range = await rangeOf(store, compaction, commits, signal);
  if (range === undefined) {
    const message = `The log compaction ${path} isn't compared with the commits ${version} to ${endVersion}, which can't all be read.`;
    findings.add("not-checked", message, place);
    return true;
  }
  const differ = (what: string, data: Readonly<Record<string, unknown>>) =>
    findings.add("compaction-differs", `The log compaction ${path} ${what}.`, place, data);
  const state = new StateBuilder();
  range.files.beginComparison();
  found.visit((action) => {
    if ("add" in action) compareAdd(range, action.add, differ);
    else if ("remove" in action) compareRemove(range, action.remove, differ);
    else state.apply(action);
  });
  const [expected, stated] = [range.state, state].map((builder) => saidBy(builder, endVersion));
  for (const difference of stateDifferences(expected!, stated!, () => forgetsTransactions)) {
    differ(`has another ${nameOf(difference)} than the commits`, { ...difference });
  }
  const missing = [...missingRows(range)];
  const paths = await pathsOf(
    store,
    compaction,
    range.files,
    missing.slice(0, findings.room("compaction-differs")),
    signal,
  );
  for (const row of missing) {
    const [action, file] = [range.files.state(row) === "live" ? "add" : "remove", paths.get(row)];
    differ(`lacks the ${action} of ${file ?? "a file"}`, { action, file, since: range.files.version(row) });
  }
  return true;
}

type Differ = (what: string, data: Readonly<Record<string, unknown>>) => void;

/** What some commits come to by themselves. */
interface Range {
  readonly files: FileTable;
  readonly state: StateBuilder;
  /** Rows of files that came in with these commits: nobody needs their tombstones to know that they aren't live. */
  readonly ownRows: ReadonlySet<number>;
}

async function actionsIn(
  store: ObjectStore,
  { endVersion, path }: Compaction,
  signal: AbortSignal | undefined,
): Promise<{ readonly visit: (visitor: (action: Action) => void) => void } | { readonly error: DeltaError }> {
  try {
    const bytes = await readLogFile(store, { version: endVersion, path }, signal);
    const visit = (visitor: (action: Action) => void) =>
      forEachAction(endVersion, bytes, { commitInfo: false, path }, visitor);
    visit(() => undefined);
    return { visit };
  } catch (error) {
    if (isUnreadable(error)) return { error };
    throw error;
  }
}

function isUnreadable(error: unknown): error is DeltaError {
  return error instanceof DeltaError && ["DELTA_LOG_CORRUPT", "DELTA_FILE_NOT_FOUND"].includes(error.code);
}

async function rangeOf(
  store: ObjectStore,
  { version, endVersion }: Compaction,
  commits: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<Range | undefined> {
  for (let commit = version; commit <= endVersion; commit++) if (!commits.has(commit)) return undefined;
  const [files, state, ownRows] = [new FileTable(), new StateBuilder(), new Set<number>()];
  try {
    for await (const { version: at, bytes } of readCommits(store, version, endVersion, signal)) {
      forEachAction(at, bytes, { commitInfo: false }, (action) => {
        if ("add" in action) {
          const before = files.rowCount;
          const row = files.put(recordOf(action.add, action.add.modificationTime), "live", at);
          if (row === before) ownRows.add(row);
        } else if ("remove" in action) {
          files.put(recordOf(action.remove, action.remove.deletionTimestamp), "removed", at);
        } else state.apply(action);
      });
    }
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
  return { files, state, ownRows };
}

function compareAdd({ files }: Range, add: AddFile, differ: Differ): void {
  const record = recordOf(add, add.modificationTime);
  const row = files.find(record.key);
  const file = decodePath(add.path);
  const data = { action: "add", file };
  if (row < 0 || files.state(row) !== "live") differ(`adds ${file}, which the commits don't leave live`, data);
  else if (!files.meet(row)) differ(`has ${file} twice`, data);
  else {
    const fields = files.differences(row, record);
    if (fields.length > 0) differ(`gives ${file} another ${fields.join(", ")} than the commits`, { ...data, fields });
  }
}

function compareRemove({ files }: Range, remove: RemoveFile, differ: Differ): void {
  const record = recordOf(remove, remove.deletionTimestamp);
  const row = files.find(record.key);
  const file = decodePath(remove.path);
  const data = { action: "remove", file };
  if (row < 0 || files.state(row) !== "removed") differ(`removes ${file}, which the commits don't`, data);
  else if (!files.meet(row)) differ(`has ${file} twice`, data);
  else if (!Object.is(files.time(row), record.time)) {
    differ(`gives another time of removal of ${file} than the commits`, { ...data, fields: ["deletionTimestamp"] });
  }
}

function* missingRows({ files, ownRows }: Range): Generator<number> {
  yield* files.unmet("live");
  for (const row of files.unmet("removed")) if (!ownRows.has(row)) yield row;
}

/** What there is to say where commits say nothing. */
const NO_PROTOCOL: Protocol = { minReaderVersion: 0, minWriterVersion: 0 };
const NO_METADATA: Metadata = {
  id: "",
  format: { provider: "", options: {} },
  schemaString: "",
  partitionColumns: [],
  configuration: {},
};
const REMOVED = "(removed)";

/** What some actions say beside files; of domains also that they are removed. */
function saidBy(builder: StateBuilder, version: number): TableState {
  const state = builder.build(version, { protocol: NO_PROTOCOL, metadata: NO_METADATA });
  const domains = [...(builder.said().domainMetadata ?? [])].map(([name, domain]) => {
    return [name, domain.removed ? { ...domain, configuration: REMOVED } : domain] as const;
  });
  return { ...state, domainMetadata: new Map(domains) };
}

/** The paths of some rows, for which the commits are read once more. */
async function pathsOf(
  store: ObjectStore,
  { version, endVersion }: Compaction,
  files: FileTable,
  rows: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, string>> {
  const paths = new Map<number, string>();
  if (rows.length === 0) return paths;
  const wanted = new Set(rows);
  for await (const { version: at, bytes } of readCommits(store, version, endVersion, signal)) {
    forEachAction(at, bytes, { commitInfo: false }, (action) => {
      const file = "add" in action ? action.add : "remove" in action ? action.remove : undefined;
      if (file === undefined) return;
      const row = files.find(recordOf(file, undefined).key);
      if (wanted.has(row)) paths.set(row, decodePath(file.path));
    });
  }
  return paths;
}
