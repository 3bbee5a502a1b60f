import { buildBatch } from "../../arrow/build.js";
import { DeltaError } from "../../errors.js";
import { nearestName } from "../../schema/columns.js";
import { SqlText } from "../../schema/sqlText.js";
import type { StructField, StructType } from "../../schema/types.js";
import { quoteName } from "../../sql/duckdb.js";
import type { JoinClause } from "../../sql/merge/join.js";
import { type MergeExpression, MergeScope, type Side } from "../../sql/merge/scope.js";
import { expressionValue, type MergeValue, sourceValue } from "../../sql/merge/values.js";
import { fieldOf, type SetTarget, setTargets } from "../setTargets.js";
import { type Clause, textOf } from "./clauses.js";

/** A clause whose expressions are understood. */
export interface PlannedClause extends JoinClause {
  readonly given: Clause;
  /** The columns that get values, by the names of the fields of `values` and `constants`. */
  readonly targets: ReadonlyMap<string, SetTarget>;
  /** The columns that get the same value in every row, and that row. */
  readonly constants: { readonly schema: StructType; readonly row: object };
}

/** A merge whose expressions are understood. */
export interface MergePlan {
  readonly on: MergeExpression;
  readonly onText: string;
  readonly clauses: readonly PlannedClause[];
  /** Top-level columns that expressions name. */
  readonly columns: ReadonlyMap<Side, ReadonlySet<string>>;
}

export interface MergeSides {
  readonly target: StructType;
  readonly source: StructType;
}

/** Which sides' columns a clause's expressions may name. */
const SEEN: Readonly<Record<Clause["kind"], readonly Side[]>> = {
  matched: ["target", "source"],
  notMatched: ["source"],
  notMatchedBySource: ["target"],
};

/**
 * Understands a merge. `lacking` says that the source need not have all columns for `*`, and never those that are `filled`. Throws `DELTA_INVALID_PREDICATE`,
 * `DELTA_INVALID_ARGUMENT` for unknown columns, `DELTA_MERGE_UNRESOLVED_EXPRESSION`, and `DELTA_VALUE_OUT_OF_RANGE` and the like for values.
 */
export async function planMerge(
  on: string | SqlText | readonly string[],
  given: readonly Clause[],
  sides: MergeSides,
  lacking: boolean,
  filled: ReadonlySet<string> = new Set(),
): Promise<MergePlan> {
  const scope = new MergeScope(
    new Map([
      ["target", sides.target],
      ["source", sides.source],
    ]),
  );
  const onText = conditionOf(on, sides);
  const condition = await scope.condition(onText);
  const used = [condition];
  const clauses: PlannedClause[] = [];
  for (const clause of given) {
    const own = scope.only(...SEEN[clause.kind]);
    const where = clause.where === undefined ? undefined : await own.condition(clause.where);
    if (where !== undefined) used.push(where);
    const assignments = await assigned(own, clause, sides, lacking, filled);
    clauses.push({ ...clause, given: clause, condition: where?.sql, ...assignments });
  }
  const parts = [...used, ...clauses.flatMap(({ values }) => values)];
  const columnsOf = (side: Side) => new Set(parts.flatMap(({ columns }) => [...(columns.get(side) ?? [])]));
  const columns = new Map([["target", columnsOf("target")] as const, ["source", columnsOf("source")] as const]);
  return { on: condition, onText, clauses, columns };
}

/** The condition as SQL; a list of columns, or the name of one, means that they are equal. */
function conditionOf(on: string | SqlText | readonly string[], { target, source }: MergeSides): string {
  const has = ({ fields }: StructType, name: string) => fields.some((field) => field.name === name);
  const isColumn = typeof on === "string" && has(target, on) && has(source, on);
  const columns = isColumn ? [on] : on;
  if (typeof columns === "string" || columns instanceof SqlText) return textOf(columns)!;
  if (columns.length === 0) throw new DeltaError("DELTA_INVALID_ARGUMENT", "on names no column.", { on });
  for (const name of columns) fieldOf(target, name);
  for (const name of columns) if (!has(source, name)) throw unresolved(name, source);
  return columns.map((name) => `target.${nameText(name)} = source.${nameText(name)}`).join(" AND ");
}

/** History shows it: quoted only where it must be. */
function nameText(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : quoteName(name);
}

async function assigned(
  scope: MergeScope,
  { set, action }: Clause,
  { target, source }: MergeSides,
  lacking: boolean,
  filled: ReadonlySet<string>,
): Promise<Pick<PlannedClause, "targets" | "values" | "constants">> {
  const values: MergeValue[] = [];
  const fixed: [StructField, unknown][] = [];
  const targets: SetTarget[] = [];
  if (set === "*") {
    for (const field of target.fields) {
      const own = source.fields.find(({ name }) => name.toLowerCase() === field.name.toLowerCase());
      if (own !== undefined) {
        values.push(await sourceValue(scope, field, own));
        targets.push({ path: [field.name], field });
      } else if (!lacking && !filled.has(field.name)) {
        throw unresolved(field.name, source);
      }
    }
  } else {
    const entries = Object.entries(set ?? {}).filter(([, value]) => value !== undefined);
    if (set !== undefined && entries.length === 0) {
      throw new DeltaError("DELTA_INVALID_ARGUMENT", "A clause names no column. Give at least one a value.", {});
    }
    const names = entries.map(([name]) => name);
    if (action === "insert") for (const name of names) fieldOf(target, name);
    targets.push(...setTargets(target, names));
    for (const [i, [, value]] of entries.entries()) {
      const { field } = targets[i]!;
      if (value instanceof SqlText) values.push(await expressionValue(scope, field, value.text));
      else fixed.push([field, value]);
    }
  }
  const schema: StructType = { type: "struct", fields: fixed.map(([field]) => field) };
  const row = Object.fromEntries(fixed.map(([{ name }, value]) => [name, value]));
  // A value that doesn't fit is said before any file is read.
  if (fixed.length > 0) buildBatch(schema, [row], 0);
  return { targets: new Map(targets.map((own) => [own.field.name, own])), values, constants: { schema, row } };
}

function unresolved(column: string, { fields }: StructType): DeltaError {
  const nearest = nearestName(
    column,
    fields.map(({ name }) => name),
  );
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  return new DeltaError(
    "DELTA_MERGE_UNRESOLVED_EXPRESSION",
    `The source has no column "${column}".${hint} Give it one, name the columns to set, or let mergeSchema take those that there are.`,
    { column, nearest },
  );
}
