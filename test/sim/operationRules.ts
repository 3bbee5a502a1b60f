import type { Action } from "#src/log/actions.js";
import type { FinalState } from "./finale.js";
import {
  type CommitRecord,
  type History,
  LAST_CLIENT,
  liveFiles,
  logAt,
  newestAt,
  type Operation,
  type Value,
} from "./history.js";
import { changesNothing, replay, spell } from "./model.js";
import { rowsByFile } from "./rowsByFile.js";
import { refusalCodes } from "./store.js";
import { type VerbName, verbOf } from "./verbs.js";

/** What is wrong with single calls: their results, their errors, what they left. */
export function* operationFaults(history: History, final: FinalState): Generator<string> {
  const isChanging = history.kind !== undefined;
  const files = isChanging ? new Map() : rowsByFile(history);
  const log = logAt(history, final.step);
  for (const operation of history.operations) {
    const { id, verb, outcome } = operation;
    const said = (what: string) => `${verb} ${id}: ${what}`;
    const leavesOne =
      operation.rowIds.length > 0 || (operation.changes !== undefined && !verbOf(verb as VerbName).commitsOften);
    if (leavesOne) for (const fault of traces(history, log, operation)) yield said(fault);
    if (outcome === undefined || operation.end === undefined) yield said("never ended");
    else if (outcome.status === "failed")
      for (const fault of wrongError(history, operation, outcome.code)) yield said(fault);
    else if (outcome.status === "ok") {
      for (const fault of wrongValue({ history, files, isChanging }, operation, operation.end, outcome.value))
        yield said(fault);
    }
  }
}

/** What an append left in the log: one commit where it succeeded, none where it said that there is none, else at most one. */
function* traces(history: History, log: readonly CommitRecord[], operation: Operation): Generator<string> {
  const { id, verb, outcome, begin, end } = operation;
  const ever = history.commits.filter((commit) => commit.operation === id);
  const now = log.filter((commit) => commit.operation === id);
  if (ever.length > 1) yield `was committed ${ever.length} times`;
  if (ever.some(({ landedAt }) => landedAt < begin)) yield "was committed before it began";
  if (verb === "optimize" && ever.some(({ actions }) => actions.some(changesData))) yield "says that it changes data";
  if (outcome?.status === "failed" && outcome.code !== "DELTA_COMMIT_OUTCOME_UNKNOWN" && ever.length > 0) {
    yield `failed with ${outcome.code}, but was committed`;
  }
  if (outcome?.status !== "ok" || (outcome.value.kind !== "append" && outcome.value.kind !== "change")) return;
  const { version, skipped } = outcome.value;
  if (skipped) {
    if (ever.length > 0) yield "was skipped, but was committed";
    return;
  }
  if (outcome.value.kind === "change") {
    const states = replay(history.operations, logAt(history, Number.POSITIVE_INFINITY));
    if (ever.length === 0) {
      const oldest = newestAt(history, begin);
      const newest = newestAt(history, end!);
      if (version < oldest || version > newest) yield `had nothing to do at version ${version}`;
      else if (!changesNothing(operation, states, version)) yield `did nothing to version ${version}`;
      return;
    }
    const { count } = outcome.value;
    if (now.length === 1 && count !== undefined && count !== states[version]?.touched)
      yield `tells of ${count} rows, changed were ${states[version]?.touched}`;
  }
  if (now.length !== 1) yield `succeeded, but is in the log ${now.length} times`;
  else if (now[0]!.version !== version) yield `succeeded as version ${version}, but is version ${now[0]!.version}`;
  else if (now[0]!.landedAt > end!) yield "succeeded before it was committed";
  if (outcome.value.kind === "change") return;
  const { rowCount } = outcome.value;
  if (rowCount !== operation.rowIds.length) yield `says it appended ${rowCount} rows`;
}

function changesData(action: Action): boolean {
  return ("add" in action && action.add.dataChange) || ("remove" in action && action.remove.dataChange === true);
}

interface Seen {
  readonly history: History;
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly isChanging: boolean;
}

/** What a call gave must be true of a version that was the newest at some time while it ran. */
function* wrongValue(seen: Seen, operation: Operation, end: number, value: Value): Generator<string> {
  const log = logAt(seen.history, end);
  const oldest = newestAt(seen.history, operation.begin);
  const newest = log.length - 1;
  const possible = Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index).filter((v) => v >= 0);
  const within = (version: number) => oldest <= version && version <= newest;
  const { asked, txn } = operation;
  if ((value.kind === "append" || value.kind === "change") && value.skipped) {
    const recorded = log.flatMap((commit) =>
      commit.actions.some((a) => "txn" in a && a.txn.appId === txn?.appId && a.txn.version >= txn.version)
        ? [commit.version]
        : [],
    );
    if (recorded.length === 0) yield "was skipped, but nobody did it";
    else if (value.version < recorded[0]! || value.version > newest) yield `was skipped at version ${value.version}`;
  }
  if (value.kind === "version" && operation.verb === "readTime") {
    const expected = versionAtTime(log, asked.timestampMs!);
    if (value.version !== expected) yield `is version ${value.version}, should be ${expected}`;
  } else if (value.kind === "version" && !within(value.version)) {
    yield `is version ${value.version}, not one of ${oldest} to ${newest}`;
  }
  if (value.kind === "rows") {
    const then = value.version ?? asked.version ?? (asked.timestampMs && versionAtTime(log, asked.timestampMs));
    const versions = then === undefined ? possible : [then];
    if (value.version !== undefined && !within(value.version)) yield `reads version ${value.version}`;
    const found = sortedText(value.ids);
    const matches = versions.some((version) => version <= newest && found === sortedText(rowsAt(seen, log, version)));
    if (!matches) yield `its rows are those of none of the versions ${versions.join(", ")}: ${found}`;
  }
  if (value.kind === "count" && !possible.some((version) => rowsAt(seen, log, version).length === value.count)) {
    yield `counts ${value.count} rows, as none of the versions ${possible.join(", ")}`;
  }
  if (value.kind === "files") {
    const found = sortedText(value.paths);
    if (
      !possible.some((version) => found === sortedText([...liveFiles(log, version).values()].map(({ path }) => path)))
    ) {
      yield `has the files of none of the versions ${possible.join(", ")}`;
    }
  }
  if (value.kind === "history") {
    const told = JSON.stringify(value.commits.toReversed());
    const true_ = log.map(({ version, txnId, operation: id }) => ({ version, txnId, userMetadata: id ?? null }));
    // The log's cleanup may have taken the first ones.
    const first = seen.isChanging ? (value.commits.at(-1)?.version ?? 0) : 0;
    if (!possible.some((version) => told === JSON.stringify(true_.slice(first, version + 1))))
      yield "tells another history";
  }
}

function rowsAt({ files, history, isChanging }: Seen, log: readonly CommitRecord[], version: number): string[] {
  if (isChanging) return replay(history.operations, log)[version]?.rows.map(spell) ?? [];
  return [...liveFiles(log, version).keys()].flatMap((path) => files.get(path) ?? [`no row known of ${path}`]);
}

function sortedText(texts: readonly string[]): string {
  return [...texts].sort().join(" ");
}

/** Commit times are those of the files, made to rise. */
function versionAtTime(log: readonly CommitRecord[], timestampMs: number): number {
  let time = Number.NEGATIVE_INFINITY;
  let found = -1;
  for (const { version, modifiedMs } of log) {
    time = Math.max(modifiedMs, time + 1);
    if (time <= timestampMs) found = version;
  }
  return found;
}

const CLAIMS = /^putIfAbsent |^get (?:commit|letterCommit|copyCommit|stream)$/;

/** An error must have a reason: a fault that struck while the call ran, or what it asked for. */
function* wrongError(history: History, operation: Operation, code: string): Generator<string> {
  const { begin, end, client, asked, verb } = operation;
  const { commits = false, rowCount, rivalry = [], changes } = verbOf(verb as VerbName);
  const isWrite = commits || rowCount !== undefined || changes !== undefined;
  const before = newestAt(history, begin);
  const codes = new Set<string>();
  for (const strike of history.strikes) {
    if (strike.client !== client || strike.step < begin || strike.step > end!) continue;
    // A checkpoint after a commit never fails the append, nor does what a job leaves lying about.
    if (isWrite && /^put (?:checkpoint|lastCheckpoint)|^delete state/.test(strike.point)) continue;
    if (strike.kind === "refused")
      for (const refusal of refusalCodes(strike.point.startsWith("put"))) codes.add(refusal);
    else codes.add("DELTA_STORAGE_UNAVAILABLE");
    if (strike.kind === "unflushed") codes.add("DELTA_COMMIT_OUTCOME_UNKNOWN");
    const isOutage = strike.kind.startsWith("outage");
    if (isOutage && CLAIMS.test(strike.point)) codes.add("DELTA_COMMIT_OUTCOME_UNKNOWN");
  }
  if (!isWrite) codes.delete("DELTA_COMMIT_OUTCOME_UNKNOWN");
  if (operation.rowIds.length === 0 && before === -1) codes.add("DELTA_TABLE_NOT_FOUND");
  const hasRival =
    history.kind === undefined
      ? history.operations.some((other) => other !== operation && other.verb === verb && other.begin < end!)
      : history.commits.some(
          ({ landedAt, operation: id }) => id !== operation.id && landedAt > begin && landedAt < end!,
        );
  if (hasRival && client !== LAST_CLIENT) for (const code of rivalry) codes.add(code);
  if (asked.version !== undefined && asked.version > before) codes.add("DELTA_VERSION_NOT_FOUND");
  if (verb === "readTime" || verb === "readAgo") codes.add("DELTA_TIMESTAMP_OUT_OF_RANGE");
  if (operation.lacks?.lacksCommits && verb === "vacuum") codes.add("DELTA_CANNOT_VACUUM_LITE");
  if (operation.lacks?.lacksCommits && verb === "compactLog") codes.add("DELTA_FILE_NOT_FOUND");
  if (operation.lacks !== undefined && verb !== "readTwice") {
    const { inLog, files } = operation.lacks;
    const then = verb === "readAgo" ? versionAtTime(logAt(history, end!), asked.timestampMs!) : asked.version;
    if (then !== undefined && inLog.has(then)) codes.add("DELTA_VERSION_NOT_FOUND");
    if (then !== undefined && files.has(then)) codes.add("DELTA_FILE_NOT_FOUND");
  }
  if (!codes.has(code)) yield `failed with ${code}, for which there is no reason`;
}
