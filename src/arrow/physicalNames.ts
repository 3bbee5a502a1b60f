import { type DataType as ArrowType, Field, List, Map_, type RecordBatch, Struct } from "apache-arrow";
import { type ColumnMappingMode, columnId, nestedIds, physicalName } from "../schema/columnMapping.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { makeBatch } from "./column.js";
import { toArrowField } from "./schema.js";

/** Where Arrow fields keep the id that Parquet has for them. */
const FIELD_ID = "PARQUET:field_id";

/**
 * Gives batches of a schema, conformed to it, the names that data files have for its columns at every depth, and the columns' ids.
 * Values aren't touched. Where the table maps no columns, batches stay as they are.
 */
export function underPhysicalNames(schema: StructType, mode: ColumnMappingMode): (batch: RecordBatch) => RecordBatch {
  if (mode === "none") return (batch) => batch;
  const fields = schema.fields.map((field) => physicalField(field, mode));
  return (batch) => makeBatch(fields, batch.data.children, batch.numRows);
}

function physicalField(field: StructField, mode: ColumnMappingMode): Field {
  const name = physicalName(field, mode);
  const type = physicalType(field.type, mode, { ids: nestedIds(field), path: name });
  return new Field(name, type, field.nullable, withId(toArrowField(field).metadata, columnId(field)));
}

/** What elements, keys and values, which have no metadata of their own, are called in that of the column that they are in. */
interface Nested {
  readonly ids: Readonly<Record<string, unknown>>;
  readonly path: string;
}

function physicalType(type: DataType, mode: ColumnMappingMode, nested: Nested): ArrowType {
  if (typeof type === "string") return toArrowField({ name: "", type, nullable: true, metadata: {} }).type;
  if (type.type === "struct") return new Struct(type.fields.map((field) => physicalField(field, mode)));
  const inner = (name: string, part: DataType, nullable: boolean) => {
    const path = `${nested.path}.${name}`;
    const id = nested.ids[path];
    return new Field(
      name,
      physicalType(part, mode, { ...nested, path }),
      nullable,
      withId(undefined, typeof id === "number" ? id : undefined),
    );
  };
  if (type.type === "array") return new List(inner("element", type.elementType, type.containsNull));
  const entries = [inner("key", type.keyType, false), inner("value", type.valueType, type.valueContainsNull)];
  return new Map_(new Field("entries", new Struct<{ key: ArrowType; value: ArrowType }>(entries), false));
}

function withId(metadata: Map<string, string> | undefined, id: number | undefined): Map<string, string> | undefined {
  return id === undefined ? metadata : new Map([...(metadata ?? []), [FIELD_ID, String(id)]]);
}
