import { resolveColumn } from "../../schema/columns.js";
import type { DataType, StructType } from "../../schema/types.js";
import { quoteName, quoteText } from "../duckdb.js";
import { structOf } from "./arrayFunctions.js";
import { castTo, coerce, duckdbType, hasZones, literalOf } from "./cast.js";
import { commonType } from "./coercion.js";
import { comparedDurations } from "./durations.js";
import { FUNCTIONS, likeSql, regexSql } from "./functions.js";
import { LAMBDA_FUNCTIONS } from "./lambdas.js";
import { arithmetic } from "./operators.js";
import type { SparkNode } from "./tree.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

/** What the names of an expression mean. */
export interface Scope {
  /** The column that names stand for, and how many of the names; undefined where there is none. */
  column(names: readonly string[]): Typed | undefined;
  /** The time of the statement, in microseconds. */
  readonly nowMicros: bigint;
}

/** The columns of a schema, as those of the only relation. `used` gets the names of the top ones. */
export function scopeOf(schema: StructType, nowMicros: bigint, used: Set<string>, relation?: string): Scope {
  return {
    nowMicros,
    column(names) {
      const found = resolveColumn(schema, names);
      if (found === undefined) return undefined;
      const [first, ...rest] = found.path as readonly [string, ...string[]];
      used.add(first);
      const root = relation === undefined ? quoteName(first) : `${relation}.${quoteName(first)}`;
      const sql = rest.reduce((of, name) => `struct_extract(${of}, ${quoteText(name)})`, root);
      return columnOf(sql, found.type);
    },
  };
}

/** Timestamps come with a zone, which DuckDB is to leave out of everything. */
export function columnOf(sql: string, type: DataType): Typed {
  return { sql: hasZones(type) ? `CAST(${sql} AS ${duckdbType(type)})` : sql, type, mayFail: false };
}

/** An expression as DuckDB's SQL. Throws a {@link Refusal}. */
export function translate(node: SparkNode, scope: Scope): Typed {
  const of = (part: SparkNode) => translate(part, scope);
  switch (node.kind) {
    case "literal":
      return literalOf(node.type, node.text);
    case "interval":
      return { sql: "", type: "void", interval: node, mayFail: false };
    case "column": {
      const column = scope.column(node.names);
      if (column === undefined) throw invalid(`there is no column "${node.names.join(".")}"`);
      return column;
    }
    case "field":
      return fieldOf(plainOf(of(node.of)), node.name);
    case "item":
      return itemOf(plainOf(of(node.of)), plainOf(of(node.index)));
    case "not": {
      const value = booleanOf(of(node.of));
      return typed(`(NOT ${value.sql})`, "boolean", [value]);
    }
    case "minus":
    case "complement":
    case "binary":
      return node.kind === "binary" ? binary(node, of) : arithmetic(node.kind, [of(node.of)]);
    case "call":
      return called(node, scope);
    case "lambda":
      throw unsupported("a lambda here");
    case "cast":
      return castTo(plainOf(of(node.of)), node.type, node.isTry);
    case "case":
      return caseOf(node, of);
    case "in":
      return inList(
        plainOf(of(node.of)),
        node.list.map((item) => plainOf(of(item))),
      );
    case "like":
    case "ilike":
      return likeSql(node.kind, plainOf(of(node.of)), plainOf(of(node.pattern)), node.escaping ?? "\\");
    case "rlike":
      return regexSql(plainOf(of(node.of)), plainOf(of(node.pattern)));
    case "is": {
      const given = of(node.of);
      if (node.what === "null" && given.duration !== undefined)
        return typed(`(${given.sql} IS NULL)`, "boolean", [given]);
      const value = plainOf(given);
      if (node.what === "null") return typed(`(${value.sql} IS NULL)`, "boolean", [value]);
      return typed(`(${booleanOf(value).sql} IS ${node.what.toUpperCase()})`, "boolean", [value]);
    }
  }
}

function called({ name, args }: Extract<SparkNode, { kind: "call" }>, scope: Scope): Typed {
  const of = (part: SparkNode) => translate(part, scope);
  if (name === "struct") {
    return structOf(
      args.map((arg, i) => [arg.kind === "column" ? arg.names.at(-1)! : `col${i + 1}`, plainOf(of(arg))]),
    );
  }
  const row = Object.hasOwn(LAMBDA_FUNCTIONS, name) ? LAMBDA_FUNCTIONS[name] : undefined;
  if (row === undefined) return call(name, args.map(of), scope);
  return row(args, {
    of: (part) => plainOf(of(part)),
    name: () => quoteName(`parameter ${++parameters}`),
    body: (lambda, values) => plainOf(translate(lambda.body, withParameters(scope, lambda.names, values))),
  });
}

let parameters = 0;

/** The names of a lambda's parameters come before those of columns. */
function withParameters(scope: Scope, names: readonly string[], values: readonly Typed[]): Scope {
  return {
    nowMicros: scope.nowMicros,
    column(path) {
      const index = names.findIndex((name) => name.toLowerCase() === path[0]!.toLowerCase());
      return index === -1 ? scope.column(path) : path.slice(1).reduce(fieldOf, values[index]!);
    },
  };
}

function plainOf(value: Typed): Typed {
  if (value.interval !== undefined || value.duration !== undefined)
    throw unsupported("an interval other than beside + and -");
  return value;
}

function booleanOf(value: Typed): Typed {
  if (value.type === "boolean") return value;
  if (value.type === "void") return coerce(plainOf(value), "boolean");
  throw invalid(`a condition is of type ${typeText(value.type)} instead of boolean`);
}

function binary(node: Extract<SparkNode, { kind: "binary" }>, of: (node: SparkNode) => Typed): Typed {
  const { op } = node;
  const [left, right] = [of(node.left), of(node.right)];
  if (op === "and" || op === "or") return junction(op, booleanOf(left), booleanOf(right));
  if (op === "shiftleft" || op === "shiftright" || op === "shiftrightunsigned")
    return call(op, [left, right], undefined);
  if (op === "||") return call("concat", [left, right], undefined);
  if (COMPARISONS.has(op)) return compare(op, ...(comparedDurations(left, right) ?? [plainOf(left), plainOf(right)]));
  return arithmetic(op, [left, right]);
}

const COMPARISONS = new Set<string>(["=", "!=", "<", "<=", ">", ">=", "<=>"]);

/** What is on the right isn't evaluated where Spark doesn't, if that could end in an error. */
function junction(op: "and" | "or", left: Typed, right: Typed): Typed {
  const both = `(${left.sql} ${op.toUpperCase()} ${right.sql})`;
  const decided = op === "and" ? `NOT ${left.sql}` : left.sql;
  const sql = right.mayFail ? `(CASE WHEN ${decided} THEN ${op === "or"} ELSE ${both} END)` : both;
  return typed(sql, "boolean", [left, right]);
}

function compare(op: string, left: Typed, right: Typed): Typed {
  const [a, b] = toCommon([left, right], true);
  const { type } = a!;
  if (typeof type !== "string" && type.type === "map") throw unsupported("a comparison of maps");
  if (typeof type !== "string" && op !== "=" && op !== "!=" && op !== "<=>")
    throw unsupported(`${op} of values of type ${type.type}`);
  if (type === "variant") throw unsupported("a comparison of variants");
  const sign = op === "<=>" ? "IS NOT DISTINCT FROM" : op === "!=" ? "<>" : op;
  return typed(`(${a!.sql} ${sign} ${b!.sql})`, "boolean", [a!, b!]);
}

/**
 * Values as those of the type that all of them have in common; texts in quotes are compared as the others are. Throws a Refusal where there
 * is none.
 */
function toCommon(values: readonly Typed[], isCompared = false): Typed[] {
  const plain = values.filter((value) => !(isCompared && value.type === "string" && value.literal !== undefined));
  const texts = values.length > plain.length;
  let type: DataType = "void";
  for (const value of plain) {
    const common = commonType(type, value.type);
    if (common === undefined) {
      throw invalid(`values of type ${typeText(type)} and ${typeText(value.type)} don't go together`);
    }
    type = common;
  }
  if (type === "void" && texts) type = "string";
  return values.map((value) => coerce(plainOf(value), type));
}

function inList(value: Typed, list: readonly Typed[]): Typed {
  const [first, ...rest] = toCommon([value, ...list], true);
  if (typeof first!.type !== "string") throw unsupported(`IN of values of type ${first!.type.type}`);
  if (first!.type === "variant") throw unsupported("a comparison of variants");
  return typed(`(${first!.sql} IN (${rest.map(({ sql }) => sql).join(", ")}))`, "boolean", [first!, ...rest]);
}

function caseOf(node: Extract<SparkNode, { kind: "case" }>, of: (node: SparkNode) => Typed): Typed {
  const subject = node.of && plainOf(of(node.of));
  const conditions = node.branches.map(({ when }) => {
    const value = of(when);
    return subject === undefined ? booleanOf(value) : compare("=", subject, plainOf(value));
  });
  const otherwise: Typed = node.otherwise === undefined ? literalOf("void", undefined) : of(node.otherwise);
  const values = toCommon([...node.branches.map(({ gives }) => of(gives)), otherwise]);
  const last = values.at(-1)!;
  const branches = conditions.map((condition, index) => `WHEN ${condition.sql} THEN ${values[index]!.sql}`);
  return typed(`(CASE ${branches.join(" ")} ELSE ${last.sql} END)`, last.type, [...conditions, ...values]);
}

function call(name: string, args: readonly Typed[], scope: Scope | undefined): Typed {
  if (name === "if" || name === "iff") {
    if (args.length !== 3) throw invalid(`${name} takes three arguments`);
    const condition = booleanOf(args[0]!);
    const [then, otherwise] = toCommon(args.slice(1));
    const sql = `(CASE WHEN ${condition.sql} THEN ${then!.sql} ELSE ${otherwise!.sql} END)`;
    return typed(sql, then!.type, [condition, then!, otherwise!]);
  }
  const row = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (row === undefined) throw unsupported(`the function ${name} isn't known`);
  const { least, most = least } = row;
  if (args.length < least || args.length > most) throw invalid(`${name} doesn't take ${args.length} arguments`);
  return row.make(args.map(plainOf), { nowMicros: scope?.nowMicros ?? 0n, toCommon: (values) => toCommon(values) });
}

function fieldOf(value: Typed, name: string): Typed {
  const { type } = value;
  const found = typeof type !== "string" && type.type === "struct" ? resolveColumn(type, [name]) : undefined;
  if (found === undefined) throw invalid(`there is no field "${name}"`);
  return {
    ...columnOf(`struct_extract(${value.sql}, ${quoteText(found.path[0]!)})`, found.type),
    mayFail: value.mayFail,
  };
}

function itemOf(value: Typed, index: Typed): Typed {
  const { type, sql } = value;
  if (typeof type !== "string" && type.type === "map") {
    const key = coerce(index, type.keyType);
    return typed(columnOf(`${sql}[${key.sql}]`, type.valueType).sql, type.valueType, [value, key]);
  }
  if (typeof type !== "string" && type.type === "array") {
    const at = coerce(index, "long").sql;
    const isOutside = `${at} < 0 OR ${at} >= len(${sql})`;
    const item = columnOf(`(${sql})[${at} + 1]`, type.elementType).sql;
    return typed(
      `(CASE WHEN ${isOutside} THEN error('an index beyond the array') ELSE ${item} END)`,
      type.elementType,
      [value, index],
      true,
    );
  }
  throw invalid(`[…] of a value of type ${typeText(type)}`);
}
