import { DeltaError } from "../errors.js";
import type { DataType, StructField, StructType } from "./types.js";

/** How columns are found in files: by the names of the schema, by physical ones, or by ids (PROTOCOL.md, Column Mapping). */
export type ColumnMappingMode = "none" | "name" | "id";

/** Keys of a field's metadata. */
export const PHYSICAL_NAME = "delta.columnMapping.physicalName";
export const COLUMN_ID = "delta.columnMapping.id";
export const NESTED_IDS = "delta.columnMapping.nested.ids";

/**
 * The name that partition values and statistics have for a column, and data files too unless the mode is `id`. A column that isn't
 * the schema's own, such as one that tells what changed, is called the same everywhere.
 */
export function physicalName({ name, metadata }: StructField, mode: ColumnMappingMode): string {
  const physical = mode === "none" ? undefined : metadata[PHYSICAL_NAME];
  return typeof physical === "string" ? physical : name;
}

/** The id that a column has in data files; undefined unless the mode is `id`, and for what isn't the schema's own. */
export function fieldId({ metadata }: StructField, mode: ColumnMappingMode): number | undefined {
  const id = mode === "id" ? metadata[COLUMN_ID] : undefined;
  return typeof id === "number" ? id : undefined;
}

/** The id of a column, whatever the mode. */
export function columnId({ metadata }: StructField): number | undefined {
  const id = metadata[COLUMN_ID];
  return typeof id === "number" ? id : undefined;
}

/** The ids of elements, keys and values in a column, by their paths from its physical name on. */
export function nestedIds({ metadata }: StructField): Readonly<Record<string, unknown>> {
  const ids = metadata[NESTED_IDS];
  return typeof ids === "object" && ids !== null ? (ids as Record<string, unknown>) : {};
}

/** The names by which statistics know the column at a path of the schema, from a top-level column into structs. */
export function physicalPath(schema: StructType, path: readonly string[], mode: ColumnMappingMode): readonly string[] {
  if (mode === "none") return path;
  let fields = schema.fields;
  return path.map((name) => {
    const field = fields.find((candidate) => candidate.name === name);
    if (field === undefined) return name;
    fields = typeof field.type !== "string" && field.type.type === "struct" ? field.type.fields : [];
    return physicalName(field, mode);
  });
}

/** What says where a table's columns are in its own files. */
const MAPPING_KEYS: ReadonlySet<string> = new Set([COLUMN_ID, PHYSICAL_NAME, NESTED_IDS, "parquet.field.nested.ids"]);

/** The schema as others may use it: without what says where the columns are in the table's files. */
export function withoutColumnMapping(schema: StructType): StructType {
  const isPlain = schema.fields.every(({ metadata }) => !Object.keys(metadata).some((key) => MAPPING_KEYS.has(key)));
  if (isPlain) return schema;
  return mapFields(schema, (field) => {
    const kept = Object.entries(field.metadata).filter(([key]) => !MAPPING_KEYS.has(key));
    return { ...field, metadata: Object.fromEntries(kept) };
  }) as StructType;
}

/** The schema with physical names at every depth. */
export function physicalSchema(schema: StructType, mode: ColumnMappingMode): StructType {
  if (mode === "none") return schema;
  return mapFields(schema, (field) => ({ ...field, name: physicalName(field, mode) })) as StructType;
}

function mapFields(type: DataType, map: (field: StructField) => StructField): DataType {
  if (typeof type === "string") return type;
  if (type.type === "array") return { ...type, elementType: mapFields(type.elementType, map) };
  if (type.type === "map") {
    return { ...type, keyType: mapFields(type.keyType, map), valueType: mapFields(type.valueType, map) };
  }
  return { ...type, fields: type.fields.map((field) => map({ ...field, type: mapFields(field.type, map) })) };
}

/**
 * Checks that each column, nested ones too, says by what it is found: a physical name that no sibling has and, in mode `id`, an id
 * that no other column has. Throws `DELTA_INVALID_SCHEMA` naming the column.
 */
export function checkColumnMapping(schema: StructType, mode: ColumnMappingMode): void {
  if (mode !== "none") checkFields(schema, mode, [], new Set());
}

function checkFields(type: DataType, mode: ColumnMappingMode, path: readonly string[], ids: Set<number>): void {
  if (typeof type === "string") return;
  if (type.type === "array") {
    checkFields(type.elementType, mode, [...path, "element"], ids);
    return;
  }
  if (type.type === "map") {
    checkFields(type.keyType, mode, [...path, "key"], ids);
    checkFields(type.valueType, mode, [...path, "value"], ids);
    return;
  }
  const names = new Set<string>();
  for (const field of type.fields) {
    const at = [...path, field.name];
    const name = field.metadata[PHYSICAL_NAME];
    if (typeof name !== "string" || name === "" || names.has(name)) throw unmapped(at, PHYSICAL_NAME, name);
    names.add(name);
    const id = field.metadata[COLUMN_ID];
    if (mode === "id") {
      if (typeof id !== "number" || !Number.isInteger(id) || ids.has(id)) throw unmapped(at, COLUMN_ID, id);
      ids.add(id);
    }
    checkFields(field.type, mode, at, ids);
  }
}

function unmapped(path: readonly string[], key: string, value: unknown): DeltaError {
  const column = path.join(".");
  const what = value === undefined ? "has none" : `has ${JSON.stringify(value)}`;
  return new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `The table maps its columns to those of its files, for which each needs a ${key} of its own; column "${column}" ${what}. The table's metadata is damaged: go back to an older version.`,
    { column, key, value },
  );
}

/** A schema, and how its columns are found in files. */
export interface MappedSchema {
  readonly schema: StructType;
  readonly columnMapping: ColumnMappingMode;
}

/**
 * The columns that both schemas have under one name, but in different columns of files: one was dropped and another got its name.
 * Files of the one can't be read for the other.
 */
export function reusedNames(one: MappedSchema, other: MappedSchema): string[] {
  const modes = [one.columnMapping, other.columnMapping] as const;
  if (modes[0] === "none" && modes[1] === "none") return [];
  const isOther = (a: StructField, b: StructField) => physicalName(a, modes[0]) !== physicalName(b, modes[1]);
  return differing(one.schema, other.schema, isOther, []);
}

/** The columns that both schemas have, but whose names or ids in files that are written now aren't the same. */
export function movedColumns(one: MappedSchema, other: MappedSchema): string[] {
  if (one.columnMapping !== other.columnMapping) return one.schema.fields.map(({ name }) => name);
  if (one.columnMapping === "none") return [];
  const isOther = (a: StructField, b: StructField) =>
    a.metadata[PHYSICAL_NAME] !== b.metadata[PHYSICAL_NAME] || a.metadata[COLUMN_ID] !== b.metadata[COLUMN_ID];
  return differing(one.schema, other.schema, isOther, []);
}

type Differs = (one: StructField, other: StructField) => boolean;

function differing(one: DataType, other: DataType, isOther: Differs, path: readonly string[]): string[] {
  if (typeof one === "string" || typeof other === "string") return [];
  if (one.type === "array" && other.type === "array") {
    return differing(one.elementType, other.elementType, isOther, [...path, "element"]);
  }
  if (one.type === "map" && other.type === "map") {
    return [
      ...differing(one.keyType, other.keyType, isOther, [...path, "key"]),
      ...differing(one.valueType, other.valueType, isOther, [...path, "value"]),
    ];
  }
  if (one.type !== "struct" || other.type !== "struct") return [];
  const others = new Map(other.fields.map((field) => [field.name, field]));
  return one.fields.flatMap((field) => {
    const same = others.get(field.name);
    if (same === undefined) return [];
    const at = [...path, field.name];
    return isOther(field, same) ? [at.join(".")] : differing(field.type, same.type, isOther, at);
  });
}
