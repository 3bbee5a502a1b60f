import { checkpointsAgree } from "./checkpointRules.js";
import type { FinalState } from "./finale.js";
import { type History, logAt } from "./history.js";
import { jobsAddUp } from "./jobRules.js";
import { COPY, LETTERS } from "./jobs.js";
import { operationFaults } from "./operationRules.js";

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
    if (!log.some((commit) => commit.txnId === txnId)) continue;
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

/** Nobody is warned of what didn't happen. */
function* warningsHaveReasons({ warnings, strikes }: History): Generator<string> {
  for (const { step, client } of warnings) {
    const hasReason = strikes.some((strike) => strike.client === client && strike.step < step);
    if (!hasReason) yield `a warning at step ${step} without a fault`;
  }
}
