import type { DataType, StructField, StructType } from "../../schema/types.js";
import { holdsVariants, variantBytesType } from "../../schema/variantBytes.js";
import { duckdb, quoteName, quoteText } from "../duckdb.js";
import { castTo, wholeVariants } from "../evaluate.js";
import { sqlType } from "../types.js";
import type { MergeScope, Side } from "./scope.js";
import { exactName } from "./variantColumns.js";

/** A column's new value, as SQL over the sides of a merge. */
export interface MergeValue {
  readonly field: StructField;
  readonly sql: string;
  /** As it was given, for errors. */
  readonly text: string;
  readonly columns: ReadonlyMap<Side, ReadonlySet<string>>;
}

/** The value of an expression, cast to the column's type. Throws `DELTA_INVALID_PREDICATE`. */
export async function expressionValue(scope: MergeScope, field: StructField, text: string): Promise<MergeValue> {
  const { sql, root, columns } = await scope.parse(text);
  const whole = wholeVariants(root, field.type);
  if (whole !== undefined) return { field, sql: exactPath(whole.path), text, columns };
  return { field, sql: await castTo(await duckdb(), field, sql, scope.nullRows, text), text, columns };
}

/** The value of a column of the source, cast to the column's type; fields of structs go by their names. Throws `DELTA_INVALID_PREDICATE`. */
export async function sourceValue(scope: MergeScope, field: StructField, source: StructField): Promise<MergeValue> {
  const column = `source.${quoteName(source.name)}`;
  const columns = new Map<Side, ReadonlySet<string>>([["source", new Set([source.name])]]);
  if (holdsVariants(source.type) && holdsVariants(field.type)) {
    const [from, to] = [variantBytesType(source.type), variantBytesType(field.type)];
    const exact = aligned(exactColumn("source", source.name), from, to, 0);
    return { field, sql: `CAST(${exact} AS ${sqlType(to)})`, text: column, columns };
  }
  const sql = source.type === "void" ? "NULL" : aligned(column, source.type, field.type, 0);
  return { field, sql: await castTo(await duckdb(), field, sql, scope.nullRows, column), text: column, columns };
}

/** A side's column whose variants are their bytes. */
function exactColumn(side: string, name: string): string {
  return `${side}.${quoteName(exactName(name))}`;
}

/** The same of a column in structs. */
function exactPath([side, name, ...inside]: readonly string[]): string {
  return inside.reduce((sql, part) => `struct_extract(${sql}, ${quoteText(part)})`, exactColumn(side!, name!));
}

/** A value in the shape of another type: structs get that one's fields, null where they lack some. */
function aligned(sql: string, from: DataType, to: DataType, depth: number): string {
  if (typeof from === "string" || typeof to === "string" || sqlType(from) === sqlType(to)) return sql;
  if (from.type === "struct" && to.type === "struct") {
    const fields = to.fields.map(({ name, type }) => `${quoteName(name)} := ${fieldOf(sql, from, name, type, depth)}`);
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(", ")}) END`;
  }
  const item = `"item ${depth}"`;
  if (from.type === "array" && to.type === "array") {
    return `list_transform(${sql}, lambda ${item}: ${aligned(item, from.elementType, to.elementType, depth + 1)})`;
  }
  if (from.type === "map" && to.type === "map") {
    const value = aligned(`${item}.value`, from.valueType, to.valueType, depth + 1);
    const key = aligned(`${item}.key`, from.keyType, to.keyType, depth + 1);
    return `map_from_entries(list_transform(map_entries(${sql}), lambda ${item}: struct_pack(k := ${key}, v := ${value})))`;
  }
  return sql;
}

function fieldOf(sql: string, from: StructType, name: string, type: DataType, depth: number): string {
  const source = from.fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (source === undefined) return `CAST(NULL AS ${sqlType(type)})`;
  return aligned(`struct_extract(${sql}, ${quoteText(source.name)})`, source.type, type, depth);
}
