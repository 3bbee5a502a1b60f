import { type DataType as ArrowType, type Data, Field, List, Map_, type RecordBatch, Struct, Type } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { type ColumnMappingMode, fieldId, physicalName } from "../schema/columnMapping.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { makeBatch, retype } from "./column.js";

/** Where Arrow fields keep the id that Parquet has for them. */
const FIELD_ID = "PARQUET:field_id";

/**
 * A file's columns under the names of the schema, at every depth: columns that it lacks and others than the schema's are left out, types
 * and values stay as they are. Elements of arrays, keys and values of maps have no names, so they are found by their place. Where no
 * column has the very name, one is found that differs in case only, as names of a schema never do.
 *
 * Throws `DELTA_SCHEMA_MISMATCH` where two columns of the file are meant by one of the schema.
 */
export function underLogicalNames(batch: RecordBatch, schema: StructType, mode: ColumnMappingMode): RecordBatch {
  const { fields, columns } = named(batch.schema.fields, batch.data.children, schema.fields, mode);
  return makeBatch(fields, columns, batch.numRows);
}

interface Columns {
  readonly fields: readonly Field[];
  readonly columns: readonly Data[];
}

function named(
  sources: readonly Field[],
  columns: readonly Data[],
  wanted: readonly StructField[],
  mode: ColumnMappingMode,
): Columns {
  const indexes = indexesByKey(sources);
  const found = wanted.flatMap((field) => {
    const index = indexOf(indexes, field, mode);
    if (index === undefined) return [];
    if (index === AMBIGUOUS) throw ambiguous(field);
    const column = withNames(columns[index], field.type, mode);
    return [{ field: new Field(field.name, column.type, sources[index].nullable), column }];
  });
  return { fields: found.map(({ field }) => field), columns: found.map(({ column }) => column) };
}

const AMBIGUOUS = -1;

/** A column is known by its name, however it is spelled, and by its id where it has one. */
function indexesByKey(sources: readonly Field[]): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, { name, metadata }] of sources.entries()) {
    const id = metadata.get(FIELD_ID);
    const names = [`name ${name}`, `like ${name.toLowerCase()}`];
    const keys = id === undefined ? names : [...names, `id ${id}`];
    for (const key of keys) indexes.set(key, indexes.has(key) ? AMBIGUOUS : index);
  }
  return indexes;
}

function indexOf(
  indexes: ReadonlyMap<string, number>,
  field: StructField,
  mode: ColumnMappingMode,
): number | undefined {
  const id = fieldId(field, mode);
  if (id !== undefined) return indexes.get(`id ${id}`);
  const name = physicalName(field, mode);
  return indexes.get(`name ${name}`) ?? indexes.get(`like ${name.toLowerCase()}`);
}

function ambiguous({ name }: StructField): DeltaError {
  return new DeltaError("DELTA_SCHEMA_MISMATCH", `The file has more than one column for "${name}".`, { column: name });
}

/** A type other than the schema's stays as it is: whoever casts it says what is wrong. */
function withNames(data: Data, type: DataType, mode: ColumnMappingMode): Data {
  if (typeof type === "string") return data;
  if (type.type === "struct" && data.typeId === Type.Struct) {
    const { fields, columns } = named((data.type as Struct).children, data.children, type.fields, mode);
    return retype(data, new Struct(fields.slice()), columns);
  }
  if (type.type === "array" && data.typeId === Type.List) {
    const element = withNames(data.children[0], type.elementType, mode);
    return retype(data, new List(retyped((data.type as List).valueField, element.type)), [element]);
  }
  if (type.type === "map" && data.typeId === Type.Map) {
    const entries = data.children[0];
    const [key, value] = (entries.type as Struct).children as readonly Field[];
    const keys = withNames(entries.children[0], type.keyType, mode);
    const values = withNames(entries.children[1], type.valueType, mode);
    const inner = new Struct<{ key: ArrowType; value: ArrowType }>([
      retyped(key, keys.type),
      retyped(value, values.type),
    ]);
    const field = new Field((data.type as Map_).children[0].name, inner, false);
    return retype(data, new Map_(field, (data.type as Map_).keysSorted), [retype(entries, inner, [keys, values])]);
  }
  return data;
}

function retyped({ name, nullable }: Field, type: ArrowType): Field {
  return new Field(name, type, nullable);
}
