import type { RecordBatch } from "apache-arrow";
import type { DeltaError } from "../errors.js";
import type { Metadata, Protocol } from "../log/actions.js";
import { isFeatureActive } from "../log/features.js";
import type { StructField, StructType } from "../schema/types.js";

/**
 * What a table asks of its rows beside their types (PROTOCOL.md: Column Invariants, CHECK Constraints, Generated Columns, Default Columns,
 * Identity Columns): batches in, batches out. One object serves the writes of one commit.
 */
export interface RowRules {
  /** Columns whose values are what expressions give: where rows change, these are left out, so that they are given anew. */
  readonly generated: ReadonlySet<string>;
  /** Identity columns: their values don't change. */
  readonly identities: ReadonlySet<string>;
  /**
   * The rows with all values in place: defaults, identity values and generated ones where they were left out. Rows are in the table's schema, and
   * may have nulls in filled columns that must have none.
   *
   * Throws `DELTA_VIOLATE_CONSTRAINT_WITH_VALUES` at the first row that breaks a constraint, or whose generated value isn't what its
   * expression gives; `DELTA_NOT_NULL_CONSTRAINT_VIOLATED`; `DELTA_EXPRESSION_FAILED` where an expression has no value for a row (an overflow,
   * a division by zero); `DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED`; `DELTA_VALUE_OUT_OF_RANGE` past the last identity value.
   */
  complete(batch: RecordBatch, options?: CompleteOptions): Promise<RecordBatch>;
  /** The same, but rows that break a rule are left out and told of, in their order. */
  sift(batch: RecordBatch, options?: CompleteOptions): Promise<SiftedRows>;
  /**
   * The metadata that goes into the commit: with the last values of the identity columns, where some were given out. The same object where
   * nothing changes.
   */
  metadataAfter(metadata: Metadata): Metadata;
}

export interface CompleteOptions {
  /** The number of rows before these, so that errors name the row of the input. Default 0. */
  readonly firstRow?: number;
  /** Which rows leave which filled column out. Default: none. */
  readonly leftOut?: LeftOut;
  /** The rows are a table's own, changed: they keep their identity values. */
  readonly isRewrite?: boolean;
}

/** By top column: all rows, or a 1 for each row that leaves it out. */
export type LeftOut = ReadonlyMap<string, "all" | Uint8Array>;

export const NONE_LEFT_OUT: LeftOut = new Map();

export interface SiftedRows {
  readonly batch: RecordBatch;
  readonly broken: readonly BrokenRow[];
}

/** A row that breaks a rule. */
export interface BrokenRow {
  /** In the batch. */
  readonly row: number;
  readonly error: DeltaError;
}

export const GENERATION = "delta.generationExpression";
export const DEFAULT = "CURRENT_DEFAULT";
export const INVARIANTS = "delta.invariants";
export const IDENTITY_START = "delta.identity.start";
export const IDENTITY_STEP = "delta.identity.step";
export const IDENTITY_MARK = "delta.identity.highWaterMark";
export const IDENTITY_EXPLICIT = "delta.identity.allowExplicitInsert";
export const CONSTRAINT_PREFIX = "delta.constraints.";

/** The type of a column that Spark keeps as a string: `char(n)`, `varchar(n)`. */
export const TEXT_TYPE = "__CHAR_VARCHAR_TYPE_STRING";

const FILLING = [GENERATION, DEFAULT, IDENTITY_STEP];
const RULE_KEYS = [...FILLING, INVARIANTS, IDENTITY_START, IDENTITY_MARK, IDENTITY_EXPLICIT, TEXT_TYPE];
const FIELD_RULE = new RegExp(
  `"(?:${[...FILLING, INVARIANTS, TEXT_TYPE].map((key) => key.replaceAll(".", "\\.")).join("|")})"\\s*:`,
);

/** Whether rows of a table have to keep rules beside their types. It costs next to nothing. */
export function hasRowRules({
  schemaString,
  configuration,
}: Pick<Metadata, "schemaString" | "configuration">): boolean {
  return FIELD_RULE.test(schemaString) || Object.keys(configuration).some((key) => isConstraint(key));
}

export function isConstraint(property: string): boolean {
  return property.toLowerCase().startsWith(CONSTRAINT_PREFIX);
}

const FEATURE_OF = {
  [GENERATION]: "generatedColumns",
  [DEFAULT]: "allowColumnDefaults",
  [IDENTITY_STEP]: "identityColumns",
};

/** The top columns that rows may leave out since they get values: generated ones, those with defaults, identity columns. */
export function filledColumns(protocol: Protocol, metadata: Metadata, schema: StructType): ReadonlySet<string> {
  if (!FIELD_RULE.test(metadata.schemaString)) return NO_COLUMNS;
  const keys = Object.entries(FEATURE_OF).flatMap(([key, feature]) => {
    return isFeatureActive(feature, protocol, metadata) ? [key] : [];
  });
  const filled = schema.fields.filter((field) => keys.some((key) => Object.hasOwn(field.metadata, key)));
  return new Set(filled.map(({ name }) => name));
}

/** The same of a schema that a table is created with, whose protocol gets all features that it uses. */
export function filledOf({ fields }: StructType): ReadonlySet<string> {
  const filled = fields.filter(({ metadata }) => FILLING.some((key) => Object.hasOwn(metadata, key)));
  return new Set(filled.map(({ name }) => name));
}

const NO_COLUMNS: ReadonlySet<string> = new Set();

/** The schema that rows come in: filled columns may have nulls until they are filled. */
export function inputSchema(schema: StructType, filled: ReadonlySet<string>): StructType {
  if (filled.size === 0) return schema;
  return {
    ...schema,
    fields: schema.fields.map((field) => (filled.has(field.name) ? { ...field, nullable: true } : field)),
  };
}

/** A schema without rules: those of a table aren't those of another one that takes its rows. */
export function withoutRules(schema: StructType): StructType {
  const hasRule = ({ metadata }: StructField) => RULE_KEYS.some((key) => Object.hasOwn(metadata, key));
  if (!schema.fields.some(hasRule)) return schema;
  const fields = schema.fields.map((field) => {
    const kept = Object.entries(field.metadata).filter(([key]) => !RULE_KEYS.includes(key));
    return { ...field, metadata: Object.fromEntries(kept) };
  });
  return { ...schema, fields };
}

/** All that rows have to keep, as a text to compare: rows checked by one table's rules stand in a table of the same. */
export function rulesText({ schema, metadata }: { readonly schema: StructType; readonly metadata: Metadata }): string {
  if (!hasRowRules(metadata)) return "";
  const constraints = Object.entries(metadata.configuration).filter(([key]) => isConstraint(key));
  return `${JSON.stringify(constraints.sort())} ${fieldRules(schema, "").join("\n")}`;
}

function fieldRules(schema: StructType, parent: string): string[] {
  return schema.fields.flatMap(({ name, type, metadata }) => {
    const own = RULE_KEYS.filter((key) => Object.hasOwn(metadata, key)).map((key) => `${key} ${String(metadata[key])}`);
    const nested = typeof type !== "string" && type.type === "struct" ? fieldRules(type, `${parent}${name}.`) : [];
    return own.length === 0 ? nested : [`${JSON.stringify(parent + name)}: ${own.join(" ")}`, ...nested];
  });
}
