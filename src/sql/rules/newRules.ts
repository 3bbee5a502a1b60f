import { DeltaError } from "../../errors.js";
import { runtime } from "../../runtime.js";
import type { StructField, StructType } from "../../schema/types.js";
import { DEFAULT, GENERATION, IDENTITY_START, IDENTITY_STEP } from "../../write/rowRules.js";
import { sameType } from "../spark/coercion.js";
import { sparkExpression } from "../spark/expression.js";
import type { SparkNode } from "../spark/tree.js";
import { DefaultColumn } from "./defaults.js";
import { type RuledTable, rulesOf } from "./rulesOf.js";

/** Functions whose value isn't the same each time. */
const UNSTEADY = new Set(["current_timestamp", "now", "current_date", "curdate", "localtimestamp", "uuid"]);

/** Checks the rules of a table that is to be created; see `checkNewRules`. */
export function checkRules(table: RuledTable): void {
  const { schema, metadata } = table;
  for (const field of schema.fields) {
    checkOneRule(field);
    if (Object.hasOwn(field.metadata, GENERATION)) checkGenerated(field, schema);
    if (Object.hasOwn(field.metadata, IDENTITY_STEP) && metadata.partitionColumns.includes(field.name)) {
      throw wrong(field.name, "is an identity column, by which a table can't be partitioned");
    }
    checkNested(field);
  }
  rulesOf(table);
}

/** Gives a column's default a try; see `checkDefault`. */
export async function tryDefault(field: StructField): Promise<void> {
  await new DefaultColumn(field, BigInt(runtime.now()) * 1000n).values(1);
}

function checkOneRule({ name, metadata }: StructField): void {
  const rules = [GENERATION, DEFAULT, IDENTITY_STEP].filter((key) => Object.hasOwn(metadata, key));
  if (rules.length > 1) throw wrong(name, `has more than one rule for its values (${rules.join(", ")})`);
  if (Object.hasOwn(metadata, IDENTITY_START) !== Object.hasOwn(metadata, IDENTITY_STEP)) {
    throw wrong(name, `needs both ${IDENTITY_START} and ${IDENTITY_STEP}`);
  }
}

/** Delta has these on top columns only. */
function checkNested({ name, type }: StructField): void {
  if (typeof type === "string" || type.type !== "struct") return;
  for (const field of type.fields) {
    const column = `${name}.${field.name}`;
    if ([GENERATION, DEFAULT, IDENTITY_STEP].some((key) => Object.hasOwn(field.metadata, key))) {
      throw wrong(column, "is in a struct, and gets no values of its own");
    }
    checkNested({ ...field, name: column });
  }
}

function checkGenerated({ name, type, metadata }: StructField, schema: StructType): void {
  const text = String(metadata[GENERATION]);
  const expression = sparkExpression(text, schema);
  const unsteady = callsIn(expression.tree).find((called) => UNSTEADY.has(called));
  if (unsteady !== undefined) {
    throw new DeltaError(
      "DELTA_INVALID_EXPRESSION",
      `The generated column "${name}" is made by ${unsteady}(), which gives another value each time.`,
      { column: name, expression: text },
    );
  }
  if (sameType(expression.type, type)) return;
  throw new DeltaError(
    "DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH",
    `The generated column "${name}" is of type ${shown(type)}, its expression ${text} of type ${shown(expression.type)}. Cast it.`,
    { column: name, expression: text, type, found: expression.type },
  );
}

function callsIn(node: SparkNode | undefined): string[] {
  if (node === undefined) return [];
  const below = Object.values(node).flatMap((part: unknown) => partsOf(part).flatMap(callsIn));
  return node.kind === "call" ? [node.name, ...below] : below;
}

function partsOf(part: unknown): SparkNode[] {
  if (Array.isArray(part)) return part.flatMap(partsOf);
  if (typeof part !== "object" || part === null) return [];
  return "kind" in part ? [part as SparkNode] : Object.values(part).flatMap(partsOf);
}

function shown(type: StructField["type"]): string {
  return typeof type === "string" ? type : type.type;
}

function wrong(column: string, why: string): DeltaError {
  return new DeltaError("DELTA_INVALID_SCHEMA", `Column "${column}" ${why}.`, { column });
}
