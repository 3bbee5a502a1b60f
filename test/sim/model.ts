import type { CommitRecord, Operation } from "./history.js";

/** Which rows a change is about: those whose `n` compares so; all where it's left out. */
export interface Where {
  readonly is: "eq" | "lt" | "gte";
  readonly n: number;
}

/** What a call does to the rows; several, one after the other, make one version. */
export type Change =
  | { readonly kind: "insert"; readonly rows: readonly { readonly id: string; readonly n: number }[] }
  | { readonly kind: "delete"; readonly where: Where | undefined }
  | { readonly kind: "update"; readonly where: Where | undefined; readonly n: number }
  | { readonly kind: "restore"; readonly version: number };

/** A row, and the version that it came with. */
export interface ModelRow {
  readonly id: string;
  readonly n: number;
  readonly since: number;
}

/** The rows of a version, and how many of those before it were changed. */
export interface ModelState {
  readonly rows: readonly ModelRow[];
  readonly touched: number;
}

/** The rows of each version: what the calls whose commits these are do, one commit after the other. */
export function replay(operations: readonly Operation[], log: readonly CommitRecord[]): ModelState[] {
  const changes = new Map(operations.map((operation) => [operation.id, changesOf(operation)]));
  const states: ModelState[] = [];
  for (const commit of log) {
    const before = states.at(-1)?.rows ?? [];
    const isBlind = (version: number) => infoOf(log[version])?.isBlindAppend === true;
    const info = infoOf(commit);
    const read = info?.readVersion ?? commit.version - 1;
    // Of a table that is only write serializable, rows that were appended blindly after a change's version aren't its concern.
    const passes = info?.isolationLevel === "WriteSerializable" && info.operation !== "RESTORE";
    const isPassed = ({ since }: ModelRow) => passes && since > read && since < commit.version && isBlind(since);
    let rows = before;
    let touched = 0;
    for (const change of changes.get(commit.operation ?? "") ?? []) {
      const next = applied(change, rows, commit.version, isPassed, states);
      touched += next.touched;
      rows = next.rows;
    }
    states.push({ rows, touched });
  }
  return states;
}

/** Whether a call would have changed nothing of a version. */
export function changesNothing(operation: Operation, states: readonly ModelState[], version: number): boolean {
  let rows = states[version]?.rows ?? [];
  for (const change of changesOf(operation)) {
    const next = applied(change, rows, version + 1, () => false, states);
    if (next.touched > 0) return false;
    rows = next.rows;
  }
  return true;
}

export function spell({ id, n }: { readonly id: string; readonly n: number | bigint }): string {
  return `${id}=${n}`;
}

function changesOf({ changes, rowIds }: Operation): readonly Change[] {
  return changes ?? [{ kind: "insert", rows: rowIds.map((id, n) => ({ id, n })) }];
}

function infoOf(commit: CommitRecord | undefined) {
  return commit?.actions.find((action) => "commitInfo" in action)?.commitInfo;
}

function applied(
  change: Change,
  rows: readonly ModelRow[],
  version: number,
  isPassed: (row: ModelRow) => boolean,
  states: readonly ModelState[],
): ModelState {
  if (change.kind === "insert") {
    const added = change.rows.map((row) => ({ ...row, since: version }));
    return { rows: [...rows, ...added], touched: added.length };
  }
  if (change.kind === "restore") {
    const then = states[change.version]?.rows ?? [];
    const isSame = text(then) === text(rows);
    return { rows: then.map((row) => ({ ...row, since: version })), touched: isSame ? 0 : 1 };
  }
  const isMeant = (row: ModelRow) => matches(change.where, row.n) && !isPassed(row);
  const touched = rows.filter(isMeant).length;
  if (change.kind === "delete") return { rows: rows.filter((row) => !isMeant(row)), touched };
  return { rows: rows.map((row) => (isMeant(row) ? { ...row, n: change.n, since: version } : row)), touched };
}

function text(rows: readonly ModelRow[]): string {
  return rows.map(spell).sort().join(" ");
}

function matches(where: Where | undefined, n: number): boolean {
  if (where === undefined) return true;
  return where.is === "eq" ? n === where.n : where.is === "lt" ? n < where.n : n >= where.n;
}
