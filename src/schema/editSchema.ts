import { DeltaError } from "../errors.js";
import { columnNames, columnText, nearestName } from "./columns.js";
import type { DataType, StructField, StructType } from "./types.js";

/** Where a column stands among its siblings. */
export type ColumnPosition = "first" | { readonly after: string };

/**
 * The schema with another type at `path`, which leads through structs by names, however they are spelled, and through arrays and maps by
 * `element`, `key` and `value`. Throws `DELTA_COLUMN_NOT_FOUND`.
 */
export function editType(schema: StructType, path: readonly string[], edit: (type: DataType) => DataType): StructType {
  return editAt(schema, path, edit, () => notFound(schema, path)) as StructType;
}

/** The schema with other columns in the struct at `path`; the empty path is the schema itself. Throws `DELTA_COLUMN_NOT_FOUND`. */
export function editFields(
  schema: StructType,
  path: readonly string[],
  edit: (fields: readonly StructField[]) => readonly StructField[],
): StructType {
  return editType(schema, path, (type) => {
    if (typeof type === "string" || type.type !== "struct") throw notFound(schema, path, "is no struct");
    return { ...type, fields: edit(type.fields) };
  });
}

/** The schema with another column in place of the one at `path`. Throws `DELTA_COLUMN_NOT_FOUND`. */
export function editField(
  schema: StructType,
  path: readonly string[],
  edit: (field: StructField) => StructField,
): StructType {
  return editFields(schema, path.slice(0, -1), (fields) => {
    const at = indexOf(fields, path.at(-1) ?? "");
    if (at < 0) throw notFound(schema, path);
    return fields.map((field, i) => (i === at ? edit(field) : field));
  });
}

/** The columns with one more, or with one of theirs elsewhere; last where no position is given. Throws `DELTA_COLUMN_NOT_FOUND`. */
export function placed(
  fields: readonly StructField[],
  field: StructField,
  position: ColumnPosition | undefined,
): readonly StructField[] {
  const others = fields.filter(({ name }) => name !== field.name);
  if (position === undefined) return [...others, field];
  if (position === "first") return [field, ...others];
  const at = indexOf(others, position.after);
  if (at < 0) throw notFound({ type: "struct", fields: others }, [position.after]);
  return [...others.slice(0, at + 1), field, ...others.slice(at + 1)];
}

/** The path as the schema spells it, from a top-level column on. Throws `DELTA_COLUMN_NOT_FOUND`. */
export function spelledPath(schema: StructType, path: readonly string[]): readonly string[] {
  let type: DataType = schema;
  return path.map((name) => {
    if (typeof type === "string") throw notFound(schema, path);
    if (type.type !== "struct") {
      const inner: DataType | undefined = innerType(type, name);
      if (inner === undefined) throw notFound(schema, path);
      type = inner;
      return name.toLowerCase();
    }
    const field: StructField | undefined = type.fields[indexOf(type.fields, name)];
    if (field === undefined) throw notFound(schema, path);
    type = field.type;
    return field.name;
  });
}

/** The place of a name among columns; names ignore case, but one that is spelled so goes first. -1 where there is none. */
export function indexOf(fields: readonly StructField[], name: string): number {
  const exact = fields.findIndex((field) => field.name === name);
  return exact >= 0 ? exact : fields.findIndex((field) => field.name.toLowerCase() === name.toLowerCase());
}

function editAt(
  type: DataType,
  path: readonly string[],
  edit: (type: DataType) => DataType,
  missing: () => DeltaError,
): DataType {
  const [name, ...rest] = path;
  if (name === undefined) return edit(type);
  if (typeof type === "string") throw missing();
  const inside = (part: DataType) => editAt(part, rest, edit, missing);
  if (type.type === "struct") {
    const at = indexOf(type.fields, name);
    if (at < 0) throw missing();
    const fields = type.fields.map((field, i) => (i === at ? { ...field, type: inside(field.type) } : field));
    return { ...type, fields };
  }
  const part = name.toLowerCase();
  if (type.type === "array" && part === "element") return { ...type, elementType: inside(type.elementType) };
  if (type.type === "map" && part === "key") return { ...type, keyType: inside(type.keyType) };
  if (type.type === "map" && part === "value") return { ...type, valueType: inside(type.valueType) };
  throw missing();
}

function innerType(type: DataType, name: string): DataType | undefined {
  const part = name.toLowerCase();
  if (typeof type === "string" || type.type === "struct") return undefined;
  if (type.type === "array") return part === "element" ? type.elementType : undefined;
  return part === "key" ? type.keyType : part === "value" ? type.valueType : undefined;
}

function notFound(schema: StructType, path: readonly string[], what = "isn't there"): DeltaError {
  const column = columnText(path);
  const nearest = nearestName(column, columnNames(schema));
  const hint = nearest === undefined || nearest === column ? "" : ` Did you mean ${nearest}?`;
  return new DeltaError("DELTA_COLUMN_NOT_FOUND", `The column "${column}" ${what}.${hint}`, { column, nearest });
}
