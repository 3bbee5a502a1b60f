import { COLUMN_ID, columnId, NESTED_IDS, nestedIds, PHYSICAL_NAME } from "./columnMapping.js";
import type { DataType, StructField, StructType } from "./types.js";

/** How columns that are mapped nowhere yet get their place in files. */
export interface AssignOptions {
  /** The highest id that the table has given so far; ids are never given twice. */
  readonly maxColumnId: number;
  /** The physical name of a column: an unguessable one, or the name that it has in files already. */
  readonly nameOf: (field: StructField) => string;
  /** Elements, keys and values get ids too, as Iceberg wants them. */
  readonly nested?: boolean;
}

export interface AssignedSchema {
  /** The same object where every column was mapped already. */
  readonly schema: StructType;
  readonly maxColumnId: number;
}

/**
 * Gives each column, nested ones too, that has none a physical name and an id (PROTOCOL.md, Writer Requirements for Column
 * Mapping). What columns have stays theirs.
 */
export function assignColumnMapping(schema: StructType, options: AssignOptions): AssignedSchema {
  let maxColumnId = Math.max(options.maxColumnId, highestId(schema));
  const nextId = () => ++maxColumnId;

  const struct = (type: StructType): StructType => {
    const fields = type.fields.map(assign);
    return fields.every((field, i) => field === type.fields[i]) ? type : { ...type, fields };
  };
  const assign = (field: StructField): StructField => {
    let { metadata } = field;
    if (typeof metadata[COLUMN_ID] !== "number" || typeof metadata[PHYSICAL_NAME] !== "string") {
      metadata = {
        ...metadata,
        [COLUMN_ID]: columnId(field) ?? nextId(),
        [PHYSICAL_NAME]: metadata[PHYSICAL_NAME] ?? options.nameOf(field),
      };
    }
    if (options.nested) metadata = withNestedIds({ ...field, metadata }, nextId);
    const type = inside(field.type);
    return type === field.type && metadata === field.metadata ? field : { ...field, type, metadata };
  };
  const inside = (type: DataType): DataType => {
    if (typeof type === "string") return type;
    if (type.type === "struct") return struct(type);
    if (type.type === "array") {
      const elementType = inside(type.elementType);
      return elementType === type.elementType ? type : { ...type, elementType };
    }
    const [keyType, valueType] = [inside(type.keyType), inside(type.valueType)];
    return keyType === type.keyType && valueType === type.valueType ? type : { ...type, keyType, valueType };
  };
  return { schema: struct(schema), maxColumnId };
}

function withNestedIds(field: StructField, nextId: () => number): StructField["metadata"] {
  const known = nestedIds(field);
  const paths = nestedPaths(field.type, String(field.metadata[PHYSICAL_NAME]));
  const missing = paths.filter((path) => typeof known[path] !== "number");
  if (missing.length === 0) return field.metadata;
  const ids = { ...known, ...Object.fromEntries(missing.map((path) => [path, nextId()])) };
  return { ...field.metadata, [NESTED_IDS]: ids };
}

/** Elements, keys and values down to the next struct, whose fields have metadata of their own. */
function nestedPaths(type: DataType, path: string): string[] {
  if (typeof type === "string" || type.type === "struct") return [];
  const parts: readonly (readonly [string, DataType])[] =
    type.type === "array"
      ? [["element", type.elementType]]
      : [
          ["key", type.keyType],
          ["value", type.valueType],
        ];
  return parts.flatMap(([name, part]) => [`${path}.${name}`, ...nestedPaths(part, `${path}.${name}`)]);
}

/** The highest id that a schema has; 0 where it has none. */
function highestId(type: DataType): number {
  if (typeof type === "string") return 0;
  if (type.type === "array") return highestId(type.elementType);
  if (type.type === "map") return Math.max(highestId(type.keyType), highestId(type.valueType));
  return type.fields.reduce((highest, field) => {
    const nested = Object.values(nestedIds(field)).filter((id) => typeof id === "number");
    return Math.max(highest, columnId(field) ?? 0, ...nested, highestId(field.type));
  }, 0);
}
