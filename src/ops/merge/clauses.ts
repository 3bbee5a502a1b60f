import { DeltaError, type ErrorCode } from "../../errors.js";
import { SqlText } from "../../schema/sqlText.js";
import type { ClauseKind } from "../../sql/merge/join.js";
import type { SetOption } from "../assignments.js";
import type { MergeClauses } from "../merge.js";

/** A clause as it was given. */
export interface Clause {
  readonly kind: ClauseKind;
  readonly action: "update" | "delete" | "insert";
  /** SQL; undefined where it holds for every row. */
  readonly where: string | undefined;
  /** Undefined for a delete. */
  readonly set: "*" | SetOption | undefined;
}

const ACTIONS: Readonly<Record<ClauseKind, readonly Clause["action"][]>> = {
  matched: ["update", "delete"],
  notMatched: ["insert"],
  notMatchedBySource: ["update", "delete"],
};

const OMITTED: Readonly<Record<ClauseKind, ErrorCode>> = {
  matched: "DELTA_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION",
  notMatched: "DELTA_NON_LAST_NOT_MATCHED_CLAUSE_OMIT_CONDITION",
  notMatchedBySource: "DELTA_NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION",
};

/** All clauses of a merge. Throws `DELTA_MERGE_MISSING_WHEN`, `DELTA_INVALID_ARGUMENT`, `DELTA_NON_LAST_…_CLAUSE_OMIT_CONDITION`. */
export function clausesOf(options: MergeClauses): Clause[] {
  const { whenMatched, whenNotMatched, whenNotMatchedBySource } = options;
  const all = [
    ...clausesOfKind("matched", whenMatched),
    ...clausesOfKind("notMatched", whenNotMatched),
    ...clausesOfKind("notMatchedBySource", whenNotMatchedBySource),
  ];
  if (all.length > 0) return all;
  throw new DeltaError(
    "DELTA_MERGE_MISSING_WHEN",
    "A merge needs at least one clause: whenMatched, whenNotMatched or whenNotMatchedBySource.",
    {},
  );
}

function clausesOfKind(kind: ClauseKind, given: readonly object[] = []): Clause[] {
  const clauses = given.map((clause) => clauseOf(kind, clause as Readonly<Record<string, unknown>>));
  const early = clauses.findIndex(({ where }) => where === undefined);
  if (early >= 0 && early < clauses.length - 1) {
    throw new DeltaError(
      OMITTED[kind],
      `Clause ${early} of ${optionOf(kind)} has no condition: only the last one may lack it.`,
      {
        clause: early,
      },
    );
  }
  return clauses;
}

function clauseOf(kind: ClauseKind, given: Readonly<Record<string, unknown>>): Clause {
  const said = ACTIONS[kind].filter((action) => given[action] !== undefined && given[action] !== false);
  const [action] = said;
  const others = Object.keys(given).filter(
    (key) => key !== "where" && !ACTIONS[kind].includes(key as Clause["action"]),
  );
  if (action === undefined || said.length > 1 || others.length > 0) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `A clause of ${optionOf(kind)} has one of ${ACTIONS[kind].join(", ")}, and where.`,
      { clause: Object.keys(given) },
    );
  }
  const set = action === "delete" ? undefined : (given[action] as "*" | SetOption);
  const canTakeAll = kind !== "notMatchedBySource";
  if (action !== "delete" && !(typeof set === "object" && set !== null) && !(canTakeAll && set === "*")) {
    const what = canTakeAll ? '"*" or columns with their values' : "columns with their values";
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `${action} takes ${what}.`, { [action]: set });
  }
  return { kind, action, where: textOf(given.where as string | SqlText | undefined), set };
}

/** The SQL text of a condition. */
export function textOf(condition: string | SqlText | undefined): string | undefined {
  return condition instanceof SqlText ? condition.text : condition;
}

function optionOf(kind: ClauseKind): string {
  return `when${kind[0]!.toUpperCase()}${kind.slice(1)}`;
}
