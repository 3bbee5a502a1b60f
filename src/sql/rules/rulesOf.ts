import { DeltaError } from "../../errors.js";
import type { Metadata, Protocol } from "../../log/actions.js";
import { isFeatureActive } from "../../log/features.js";
import { runtime } from "../../runtime.js";
import type { StructField, StructType } from "../../schema/types.js";
import {
  CONSTRAINT_PREFIX,
  DEFAULT,
  GENERATION,
  IDENTITY_STEP,
  INVARIANTS,
  isConstraint,
  type RowRules,
} from "../../write/rowRules.js";
import { quoteName } from "../duckdb.js";
import { checkConstraintExpression, type SparkExpression, sparkExpression } from "../spark/expression.js";
import { typedPredicate } from "../spark/predicate.js";
import { columnOf } from "../spark/translate.js";
import { DefaultColumn } from "./defaults.js";
import { IdentityColumn } from "./identity.js";
import { type Condition, type GeneratedColumn, TableRules } from "./tableRules.js";
import { textLengths } from "./textLengths.js";

/** A table, or one that is about to be. */
export interface RuledTable {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly schema: StructType;
}

/**
 * The rules of a table's rows. With `before`, rules that the same commit has used already, identity values go on from those. Throws
 * `DELTA_UNSUPPORTED_EXPRESSION` and `DELTA_INVALID_EXPRESSION` for an expression that can't be evaluated, and what creating such a table
 * throws.
 */
export function rulesOf({ protocol, metadata, schema }: RuledTable, before?: RowRules): RowRules {
  const nowMicros = BigInt(runtime.now()) * 1000n;
  const isOn = (feature: string) => isFeatureActive(feature, protocol, metadata);
  const having = (key: string, feature: string) =>
    isOn(feature) ? schema.fields.filter((field) => Object.hasOwn(field.metadata, key)) : [];
  const known = before instanceof TableRules ? before.identityColumns : [];
  const generated = having(GENERATION, "generatedColumns");
  return new TableRules({
    schema,
    conditions: [
      ...textLengths(schema),
      ...invariantsOf(schema, schema, "", nowMicros),
      ...constraintsOf(metadata, schema, nowMicros),
    ],
    generated: generated.map((field) => generatedColumn(field, schema, generated, nowMicros)),
    defaults: having(DEFAULT, "allowColumnDefaults").map((field) => new DefaultColumn(field, nowMicros)),
    identities: having(IDENTITY_STEP, "identityColumns").map((field) => {
      return new IdentityColumn(
        field,
        known.find(({ name }) => name === field.name),
      );
    }),
  });
}

function constraintsOf({ configuration }: Metadata, schema: StructType, nowMicros: bigint): Condition[] {
  return Object.entries(configuration).flatMap(([key, text]) => {
    if (!isConstraint(key)) return [];
    const name = key.slice(CONSTRAINT_PREFIX.length);
    const expression = checkConstraintExpression(text, schema, { nowMicros });
    return [conditionOf(name, `the CHECK constraint ${name}`, expression, schema)];
  });
}

/** Of top columns and those in structs, as Delta has them. */
function invariantsOf(struct: StructType, schema: StructType, parent: string, nowMicros: bigint): Condition[] {
  return struct.fields.flatMap(({ name, type, metadata }) => {
    const column = parent + name;
    const nested =
      typeof type !== "string" && type.type === "struct" ? invariantsOf(type, schema, `${column}.`, nowMicros) : [];
    const text = invariantText(metadata[INVARIANTS], column);
    if (text === undefined) return nested;
    const expression = checkConstraintExpression(text, schema, { nowMicros });
    return [
      { ...conditionOf(`EXPRESSION(${text})`, `the invariant of column ${column}`, expression, schema), column },
      ...nested,
    ];
  });
}

function invariantText(value: unknown, column: string): string | undefined {
  if (value === undefined) return undefined;
  try {
    const { expression } = JSON.parse(String(value)) as { expression?: { expression?: unknown } };
    if (typeof expression?.expression === "string") return expression.expression;
  } catch {
    // Said below.
  }
  throw new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `Column "${column}" has an invariant that isn't understood: ${String(value)}.`,
    {
      column,
    },
  );
}

function conditionOf(
  constraint: string,
  title: string,
  { text, tree, sql, columns }: SparkExpression,
  schema: StructType,
): Condition {
  return { constraint, title, expression: text, sql, columns, predicate: typedPredicate(tree, schema) };
}

function generatedColumn(
  field: StructField,
  schema: StructType,
  generated: readonly StructField[],
  nowMicros: bigint,
): GeneratedColumn {
  const { name, type } = field;
  const expression = sparkExpression(String(field.metadata[GENERATION]), schema, { nowMicros, storedAs: type });
  const other = expression.columns.find((column) => generated.some((each) => each.name === column));
  if (other !== undefined) {
    throw new DeltaError(
      "DELTA_INVALID_GENERATED_COLUMN_REFERENCES",
      `The generated column "${name}" is made of "${other}", which is one itself.`,
      { column: name, reference: other },
    );
  }
  const { sql, columns } = expression;
  const own = columnOf(quoteName(name), type).sql;
  return {
    name,
    index: schema.fields.indexOf(field),
    value: { sql, type, columns },
    isSame: { sql: `(${own} IS NOT DISTINCT FROM ${sql})`, type: "boolean", columns: [name, ...columns] },
    condition: {
      constraint: "Generated Column",
      title: `the expression of the generated column ${name}`,
      expression: `${name} <=> ${expression.text}`,
      columns: [name, ...columns],
      column: name,
    },
  };
}
