import { type DataType as ArrowType, Field, List, Map_, type RecordBatch, Struct, Type, Utf8 } from "apache-arrow";
import { DeltaError } from "../../errors.js";
import { conformToFields } from "../conform.js";
import { VariantError } from "./error.js";
import { isVariantBytesField, JSON_EXTENSION } from "./field.js";

/**
 * The batch with variants as JSON texts, which may be bytes in it; itself where it has none. Throws `DELTA_PARQUET_UNREADABLE` for bytes
 * that are no variant.
 */
export function withVariantJson(batch: RecordBatch): RecordBatch {
  const { fields } = batch.schema;
  const wanted = fields.map(jsonField);
  if (wanted.every((field, i) => field === fields[i])) return batch;
  try {
    return conformToFields(batch, wanted);
  } catch (error) {
    if (!(error instanceof VariantError)) throw error;
    throw new DeltaError(
      "DELTA_PARQUET_UNREADABLE",
      `A data file holds bytes that are no variant: ${error.message}. Read the table to see which.`,
      {},
      error,
    );
  }
}

/** The same field where it holds no variants as bytes. */
function jsonField(field: Field): Field {
  if (isVariantBytesField(field)) return new Field(field.name, new Utf8(), field.nullable, new Map(JSON_EXTENSION));
  const type = jsonType(field.type);
  return type === field.type ? field : new Field(field.name, type, field.nullable, field.metadata);
}

function jsonType(type: ArrowType): ArrowType {
  const children = type.children as readonly Field[] | null;
  if (children === null || children === undefined || !NESTED.has(type.typeId)) return type;
  const wanted = children.map(jsonField);
  if (wanted.every((field, i) => field === children[i])) return type;
  if (type.typeId === Type.List) return new List(wanted[0]!);
  return type.typeId === Type.Map ? new Map_(wanted[0] as never, (type as Map_).keysSorted) : new Struct(wanted);
}

const NESTED: ReadonlySet<Type> = new Set([Type.List, Type.Map, Type.Struct]);
