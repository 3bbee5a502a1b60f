import {
  type Timestamp as ArrowTimestamp,
  type Decimal,
  type Field,
  type Float,
  type Int,
  Precision,
  type Struct,
  TimeUnit,
  Type,
} from "apache-arrow";
import type { SchemaElement } from "hyparquet";
import type { ParquetNode } from "../fileSchema.js";

/**
 * The Parquet schema of Arrow columns, element for element what the large encoder writes; undefined where a type is none
 * that Delta tables have.
 */
export function parquetSchema(fields: readonly Field[]): ParquetNode | undefined {
  const children = nodesOf(fields, []);
  return children && { element: { name: "arrow_schema" }, path: [], children };
}

function nodesOf(fields: readonly Field[], path: readonly string[]): ParquetNode[] | undefined {
  const nodes = fields.map((field) => nodeOf(field, field.name, path));
  return nodes.every((node) => node !== undefined) ? nodes : undefined;
}

function nodeOf(field: Field, name: string, parent: readonly string[]): ParquetNode | undefined {
  const path = [...parent, name];
  const id = field.metadata.get("PARQUET:field_id");
  const common = {
    name,
    repetition_type: field.nullable ? "OPTIONAL" : "REQUIRED",
    ...(id !== undefined && { field_id: Number(id) }),
  } as const;
  const group = (kind: Partial<SchemaElement>, children: readonly ParquetNode[] | undefined) =>
    children && { element: { ...common, ...kind }, path, children };
  const { type } = field;
  switch (type.typeId as Type) {
    case Type.Struct:
      return group({}, nodesOf((type as Struct).children, path));
    case Type.List:
      return group(LIST, repeated("list", path, [[type.children[0] as Field, "element"]]));
    case Type.Map: {
      const [key, value] = ((type.children[0] as Field).type as Struct).children;
      return group(
        MAP,
        repeated("key_value", path, [
          [key!, "key"],
          [value!, "value"],
        ]),
      );
    }
    default: {
      const leaf = leafType(field);
      return leaf && { element: { ...common, ...leaf }, path, children: [] };
    }
  }
}

const LIST = { converted_type: "LIST", logical_type: { type: "LIST" } } as const;
const MAP = { converted_type: "MAP", logical_type: { type: "MAP" } } as const;

function repeated(
  name: string,
  parent: readonly string[],
  inner: readonly (readonly [field: Field, name: string])[],
): ParquetNode[] | undefined {
  const path = [...parent, name];
  const children = inner.map(([field, innerName]) => nodeOf(field, innerName, path));
  if (!children.every((child) => child !== undefined)) return undefined;
  return [{ element: { name, repetition_type: "REPEATED" }, path, children }];
}

function leafType({ type }: Field): Partial<SchemaElement> | undefined {
  switch (type.typeId as Type) {
    case Type.Bool:
      return { type: "BOOLEAN" };
    case Type.Int:
      return integer(type as Int);
    case Type.Float: {
      const { precision } = type as Float;
      return precision === Precision.HALF ? undefined : { type: precision === Precision.DOUBLE ? "DOUBLE" : "FLOAT" };
    }
    case Type.Utf8:
      return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case Type.Binary:
      return { type: "BYTE_ARRAY" };
    case Type.Date:
      return type.ArrayType === Int32Array
        ? { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } }
        : undefined;
    case Type.Timestamp: {
      const { unit, timezone } = type as ArrowTimestamp;
      if (unit !== TimeUnit.MICROSECOND) return undefined;
      const isAdjustedToUTC = Boolean(timezone);
      return {
        type: "INT64",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC, unit: "MICROS" },
      };
    }
    case Type.Decimal:
      return decimal(type as Decimal);
    default:
      return undefined;
  }
}

function integer({ bitWidth, isSigned }: Int): Partial<SchemaElement> | undefined {
  if (!isSigned) return undefined;
  if (bitWidth === 64) return { type: "INT64" };
  if (bitWidth === 32) return { type: "INT32" };
  return {
    type: "INT32",
    converted_type: bitWidth === 8 ? "INT_8" : "INT_16",
    logical_type: { type: "INTEGER", bitWidth, isSigned },
  };
}

function decimal({ precision, scale, bitWidth }: Decimal): Partial<SchemaElement> | undefined {
  if (bitWidth !== 128) return undefined;
  return {
    // Of one digit in 64 bits: not what one would choose, but row groups of both encoders can be in one file.
    ...(precision > 1 && precision <= 9
      ? { type: "INT32" }
      : precision <= 18
        ? { type: "INT64" }
        : { type: "FIXED_LEN_BYTE_ARRAY", type_length: Math.ceil((precision * Math.log2(10) + 1) / 8) }),
    converted_type: "DECIMAL",
    precision,
    scale,
    logical_type: { type: "DECIMAL", precision, scale },
  } as const;
}
