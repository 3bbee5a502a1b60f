import { checkpointsAgree } from "./checkpointRules.js";
import type { FinalState } from "./finale.js";
import { type History, logAt } from "./history.js";
import { jobsAddUp } from "./jobRules.js";
import { COPY, LETTERS } from "./jobs.js";
import { replay, spell } from "./model.js";
import { operationFaults } from "./operationRules.js";
import { neededFiles, rebuildable } from "./retention.js";

export type { FinalState } from "./finale.js";

/** Everything that is wrong with a history: nothing where all is well. A pure function of what was seen. */
export function violationsOf(history: History, final: FinalState | undefined): string[] {
  if (final === undefined) return ["the last client doesn't come to an end"];
  return [
    ...["", LETTERS, COPY].flatMap((table) => [
      ...commitsStand(history, final, table),
      ...progressRises(history, final, table),
    ]),
    ...jobsAddUp(history, final),
    ...operationFaults(history, final),
    ...checkpointsAgree(history, final),
    ...warningsHaveReasons(history),
    ...(history.kind === undefined ? [] : pastsStand(history, final)),
  ];
}

/** Versions without a gap, commits told apart, and files that are there, whole, from the first moment to the last. */
function* commitsStand(history: History, { step, objects }: FinalState, table: string): Generator<string> {
  const log = logAt(history, step, table);
  for (const [index, { version }] of log.entries()) {
    if (version !== index) yield `version ${table}${index} is missing`;
  }
  const txnIds = new Set<string>();
  for (const { version, txnId, torn, actions } of history.commits.filter((commit) => commit.table === table)) {
    if (torn.length > 0) yield `version ${version} named files that weren't there: ${torn.join(" ")}`;
    if (txnId === undefined || txnIds.has(txnId)) yield `version ${version} has txnId ${txnId}, as another one`;
    else txnIds.add(txnId);
    // Of files that go in time it is looked at when they go.
    if (history.kind !== undefined || !log.some((commit) => commit.txnId === txnId)) continue;
    for (const action of actions) {
      if (!("add" in action)) continue;
      const { path, size } = action.add;
      if (objects.get(table + path) !== size)
        yield `version ${version} names ${table}${path} of ${size} bytes, found ${objects.get(table + path)}`;
    }
  }
}

/** An application's progress only rises: what was done isn't done again. */
function* progressRises(history: History, { step }: FinalState, table: string): Generator<string> {
  const progress = new Map<string, number>();
  for (const { version, actions } of logAt(history, step, table)) {
    for (const action of actions) {
      if (!("txn" in action)) continue;
      const { appId, version: now } = action.txn;
      // Names, not numbers.
      if (appId.endsWith("/state") || appId.startsWith("delta-table/stream/")) continue;
      if (Number(now) <= (progress.get(appId) ?? -1)) yield `version ${table}${version} repeats ${appId}'s step ${now}`;
      progress.set(appId, Number(now));
    }
  }
}

/** What each version holds at the end, and that what should be there is. */
function* pastsStand(history: History, { step, objects, pasts, findings }: FinalState): Generator<string> {
  const log = logAt(history, step);
  const states = replay(history.operations, log);
  const told = rebuildable([...objects.keys()].filter((path) => path.startsWith("_delta_log/")));
  if (pasts.length !== log.length) yield `the newest version is ${pasts.length - 1} at the end`;
  for (const { version, rows, code } of pasts) {
    const missing = neededFiles(log, version).filter((path) => !objects.has(path));
    if (version === log.length - 1 && missing.length > 0) yield `the last version lacks ${missing.join(" ")}`;
    const isThere = told.has(version) && missing.length === 0;
    const reason = told.has(version) ? "DELTA_FILE_NOT_FOUND" : "DELTA_VERSION_NOT_FOUND";
    // A checkpoint alone, or a log compaction, may tell a version whose own commit is gone.
    if (code !== undefined && (isThere || code !== reason)) yield `version ${version} ends with ${code}`;
    if (rows === undefined) continue;
    const [found, wanted] = [rows, (states[version]?.rows ?? []).map(spell)].map((texts) =>
      [...texts].sort().join(" "),
    );
    if (found !== wanted) yield `version ${version} has the rows ${found}, should have ${wanted}`;
  }
  for (const finding of findings) yield `verification finds ${finding}`;
}

/** Nobody is warned of what didn't happen. */
function* warningsHaveReasons({ warnings, strikes }: History): Generator<string> {
  for (const { step, client } of warnings) {
    const hasReason = strikes.some((strike) => strike.client === client && strike.step < step);
    if (!hasReason) yield `a warning at step ${step} without a fault`;
  }
}
