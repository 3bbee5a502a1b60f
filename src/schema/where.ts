import { DeltaError } from "../errors.js";
import { columnNames, columnText, nearestName, type ResolvedColumn, resolveColumn } from "./columns.js";
import { comparison, inList } from "./comparison.js";
import { valuePosition } from "./literalValue.js";
import type { Comparison, Predicate } from "./predicate.js";
import type { StructType } from "./types.js";

/** What a column's value is compared with; several in one object must all hold. */
export interface Condition<Value = unknown> {
  readonly eq?: Value | null;
  /** `{ ne: null }` is "not null". */
  readonly ne?: Value | null;
  readonly lt?: Value;
  readonly lte?: Value;
  readonly gt?: Value;
  readonly gte?: Value;
  /** One of these; null among them takes rows where the column is null. */
  readonly in?: readonly (Value | null)[];
  /** None of these; rows where the column is null don't pass. */
  readonly notIn?: readonly Value[];
  /** Both ends included. */
  readonly between?: readonly [Value, Value];
  readonly startsWith?: string;
  readonly isNull?: boolean;
}

/**
 * The values that a column of row type `Value` may be compared with: ISO texts for Dates, and a number for a bigint.
 */
export type Comparable<Value> =
  | NonNullable<Value>
  | (NonNullable<Value> extends bigint ? number : never)
  | (NonNullable<Value> extends number ? bigint : never)
  | (NonNullable<Value> extends Date ? string : never)
  | (NonNullable<Value> extends string ? number | bigint : never);

/**
 * A condition on rows as an object: `{ id: { gt: 10n }, city: "Rome", $or: [{ a: null }, { "address.zip": "1" }] }`.
 * All of it must hold. A bare value means equals, null means "is null"; a dotted key names a nested column, unless a
 * top-level column has that very name.
 */
export type Where<Row = Record<string, unknown>> = {
  readonly [Column in keyof Row & string]?: ColumnWhere<Row[Column]>;
} & {
  readonly [nested: `${string}.${string}`]: unknown;
} & {
  readonly $and?: readonly Where<Row>[];
  readonly $or?: readonly Where<Row>[];
  readonly $not?: Where<Row>;
};

export type ColumnWhere<Value> = unknown extends Value
  ? unknown
  : Comparable<Value> | null | Condition<Comparable<Value>>;

/**
 * Resolves a where object against a schema. Throws DELTA_INVALID_PREDICATE: an unknown column (with the nearest name),
 * an unknown operator, a value of the wrong kind, or `undefined` (which never means "no filter").
 */
export function resolveWhere(where: Where, schema: StructType): Predicate {
  if (!isPlainObject(where)) throw invalid(`A where object is expected, not ${shown(where)}.`, {});
  return conjunction(Object.entries(where).map(([key, value]) => resolveEntry(key, value, schema)));
}

function resolveEntry(key: string, value: unknown, schema: StructType): Predicate {
  if (value === undefined) {
    throw invalid(`The where object has undefined for "${key}". Leave the key out, or use null for "is null".`, {
      column: key,
    });
  }
  const isColumn = schema.fields.some((field) => field.name === key);
  if (!isColumn && (key === "$and" || key === "$or")) {
    if (!Array.isArray(value)) throw invalid(`"${key}" takes an array of where objects, not ${shown(value)}.`, {});
    const terms = value.map((term) => resolveWhere(term as Where, schema));
    return key === "$and" ? conjunction(terms) : disjunction(terms);
  }
  if (!isColumn && key === "$not") return { op: "not", term: resolveWhere(value as Where, schema) };
  const column = findColumn(key, schema);
  return isPlainObject(value) ? resolveCondition(column, value) : equality("=", column, value);
}

function findColumn(key: string, schema: StructType): ResolvedColumn {
  const column = resolveColumn(schema, [key]) ?? resolveColumn(schema, key.split("."));
  if (column) return column;
  const nearest = nearestName(key, columnNames(schema));
  const columns = schema.fields.map((field) => field.name);
  throw invalid(
    `The table has no column "${key}"${nearest ? `; did you mean "${nearest}"?` : `; it has ${columns.join(", ")}.`}`,
    { column: key, columns, ...(nearest ? { nearest } : {}) },
  );
}

const COMPARISONS: Readonly<Record<string, Comparison>> = { lt: "<", lte: "<=", gt: ">", gte: ">=" };

function resolveCondition(column: ResolvedColumn, condition: Record<string, unknown>): Predicate {
  const entries = Object.entries(condition);
  if (entries.length === 0) {
    throw invalid(`The condition on "${columnText(column.path)}" is empty.`, { column: columnText(column.path) });
  }
  return conjunction(entries.map(([operator, operand]) => resolveOperator(column, operator, operand)));
}

function resolveOperator(column: ResolvedColumn, operator: string, operand: unknown): Predicate {
  const name = columnText(column.path);
  const wrong = (expected: string) =>
    invalid(`"${operator}" on column "${name}" takes ${expected}, not ${shown(operand)}.`, { column: name, operator });
  if (operand === undefined) throw wrong("a value");
  const op = COMPARISONS[operator];
  if (op) {
    if (operand === null) throw wrong("a value");
    return compare(op, column, operand);
  }
  switch (operator) {
    case "eq":
      return equality("=", column, operand);
    case "ne":
      return equality("!=", column, operand);
    case "in":
    case "notIn":
      if (!Array.isArray(operand)) throw wrong("an array");
      return membership(column, operator, operand, wrong);
    case "between":
      if (!Array.isArray(operand) || operand.length !== 2 || operand.includes(null) || operand.includes(undefined)) {
        throw wrong("[lowest, highest]");
      }
      return conjunction([compare(">=", column, operand[0]), compare("<=", column, operand[1])]);
    case "startsWith":
      if (typeof operand !== "string" || column.type !== "string") throw wrong("a string, on a string column,");
      return { op: "startsWith", column: column.path, value: operand };
    case "isNull":
      if (typeof operand !== "boolean") throw wrong("true or false");
      return operand ? isNull(column) : { op: "not", term: isNull(column) };
    default: {
      if (typeof column.type !== "string" && column.type.type === "struct") {
        throw invalid(`Name a nested column with its full path: "${name}.${operator}".`, { column: name, operator });
      }
      const nearest = nearestName(operator, OPERATORS);
      throw invalid(
        `"${operator}" on column "${name}" is no operator${nearest ? `; did you mean "${nearest}"?` : `; there are ${OPERATORS.join(", ")}.`}`,
        { column: name, operator },
      );
    }
  }
}

const OPERATORS = ["eq", "ne", "lt", "lte", "gt", "gte", "in", "notIn", "between", "startsWith", "isNull"];

function membership(
  column: ResolvedColumn,
  operator: "in" | "notIn",
  operands: readonly unknown[],
  wrong: (expected: string) => DeltaError,
): Predicate {
  if (operands.includes(undefined)) throw wrong("values, none of them undefined");
  const values = operands.filter((value) => value !== null);
  const positions = values.map((value) => valuePosition(column.type, value, column.path));
  const listed = inList(column.path, positions);
  const hasNull = values.length < operands.length;
  if (operator === "in") return hasNull ? disjunction([listed, isNull(column)]) : listed;
  if (hasNull) throw wrong("values; rows with null never pass it, so leave null out");
  return {
    op: "and",
    terms: [
      { op: "not", term: listed },
      { op: "not", term: isNull(column) },
    ],
  };
}

function equality(op: "=" | "!=", column: ResolvedColumn, value: unknown): Predicate {
  if (value === null) return op === "=" ? isNull(column) : { op: "not", term: isNull(column) };
  return compare(op, column, value);
}

function compare(op: Comparison, column: ResolvedColumn, value: unknown): Predicate {
  return comparison(op, column.path, valuePosition(column.type, value, column.path));
}

function isNull(column: ResolvedColumn): Predicate {
  return { op: "isNull", column: column.path };
}

function conjunction(terms: readonly Predicate[]): Predicate {
  if (terms.length === 0) return { op: "constant", value: true };
  return terms.length === 1 ? terms[0]! : { op: "and", terms };
}

function disjunction(terms: readonly Predicate[]): Predicate {
  if (terms.length === 0) return { op: "constant", value: false };
  return terms.length === 1 ? terms[0]! : { op: "or", terms };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function invalid(message: string, data: Record<string, unknown>): DeltaError {
  return new DeltaError("DELTA_INVALID_PREDICATE", message, data);
}
