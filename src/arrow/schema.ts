import {
  type Timestamp as ArrowTimestamp,
  type DataType as ArrowType,
  DataType as ArrowTypes,
  Binary,
  Bool,
  DateDay,
  Decimal,
  type Dictionary,
  Field,
  type Float,
  Float32,
  Float64,
  type Int,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Precision,
  Schema,
  Struct,
  TimestampMicrosecond,
  Type,
  Utf8,
} from "apache-arrow";
import { DeltaError } from "../errors.js";
import { isDecimalInRange, parseDecimalType } from "../schema/decimal.js";
import { valueType } from "../schema/geo.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { VARIANT_BYTES } from "../schema/variantBytes.js";
import { BYTES_EXTENSION, isVariantField, JSON_EXTENSION, saysVariantBytes } from "./variant/field.js";

/** The Arrow schema that batches of this Delta schema have in memory. */
export function toArrowSchema(schema: StructType): Schema {
  return new Schema(schema.fields.map(toArrowField));
}

/** The Arrow field of a Delta column: the same one each time, by which others know the schema again. */
export function toArrowField(field: StructField): Field {
  let arrowField = fields.get(field);
  if (arrowField === undefined) {
    arrowField = arrowFieldOf(field.name, field.type, field.nullable);
    fields.set(field, arrowField);
  }
  return arrowField;
}

const fields = new WeakMap<StructField, Field>();

function arrowFieldOf(name: string, type: DataType, nullable: boolean): Field {
  const says = EXTENSIONS.get(type);
  return new Field(name, toArrowType(type), nullable, says && new Map(says));
}

const EXTENSIONS: ReadonlyMap<DataType, ReadonlyMap<string, string>> = new Map<DataType, ReadonlyMap<string, string>>([
  ["variant", JSON_EXTENSION],
  [VARIANT_BYTES, BYTES_EXTENSION],
]);

/**
 * The Arrow type of a Delta type: byte Int8 … long Int64, decimal Decimal128, string Utf8, binary Binary, date Date32,
 * timestamp Timestamp(us, "UTC"), timestamp_ntz Timestamp(us), array List, map Map, struct Struct, variant Utf8 that holds JSON
 * (its fields name the extension type arrow.json), void Null, geometry and geography Binary.
 * Throws DELTA_INVALID_SCHEMA where the type is none of Delta's.
 */
export function toArrowType(type: DataType): ArrowType {
  if (typeof type === "object") {
    if (type.type === "struct") return new Struct(type.fields.map(toArrowField));
    if (type.type === "array") return new List(arrowFieldOf("element", type.elementType, type.containsNull));
    const key = arrowFieldOf("key", type.keyType, false);
    const value = arrowFieldOf("value", type.valueType, type.valueContainsNull);
    return new Map_(new Field("entries", new Struct<{ key: ArrowType; value: ArrowType }>([key, value]), false));
  }
  const decimal = parseDecimalType(type);
  if (decimal) return new Decimal(decimal.scale, decimal.precision, 128);
  const name = valueType(type);
  const make = Object.hasOwn(ARROW_TYPES, name) ? ARROW_TYPES[name as keyof typeof ARROW_TYPES] : undefined;
  if (make === undefined) {
    throw new DeltaError("DELTA_INVALID_SCHEMA", `"${type}" is no type of Delta Lake's that this release knows.`, {
      type,
    });
  }
  return make();
}

const ARROW_TYPES = {
  byte: () => new Int8(),
  short: () => new Int16(),
  integer: () => new Int32(),
  long: () => new Int64(),
  float: () => new Float32(),
  double: () => new Float64(),
  string: () => new Utf8(),
  binary: () => new Binary(),
  boolean: () => new Bool(),
  date: () => new DateDay(),
  timestamp: () => new TimestampMicrosecond("UTC"),
  timestamp_ntz: () => new TimestampMicrosecond(),
  variant: () => new Utf8(),
  void: () => new Null(),
  [VARIANT_BYTES as string]: () =>
    new Struct([new Field("metadata", new Binary(), false), new Field("value", new Binary(), false)]),
};

/**
 * The Delta schema that holds every value of an Arrow schema: variants as bytes, where a field says that it has them, variant; dictionaries become their values' type, unsigned
 * integers the next wider signed one, Float16 float, times of any unit microseconds, and the large, view and
 * fixed-size layouts the plain one. JSON texts, and structs of `metadata` and `value`, are variants only where `known` has them at the
 * same place. Throws DELTA_INVALID_SCHEMA naming the column and its type where there is none
 * (uint64, time of day, intervals, unions, decimals beyond 38 digits, fields of one name).
 */
export function fromArrowSchema(schema: Schema, known?: StructType): StructType {
  return fromArrowFields(schema.fields, "", known);
}

function fromArrowFields(fields: readonly Field[], prefix: string, known?: DataType): StructType {
  const others = typeof known === "object" && known.type === "struct" ? known.fields : [];
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (seen.has(name)) {
      throw new DeltaError("DELTA_INVALID_SCHEMA", `The Arrow schema has more than one column "${prefix}${name}".`, {
        column: prefix + name,
      });
    }
    seen.add(name);
  }
  return {
    type: "struct",
    fields: fields.map((field) => ({
      name: field.name,
      type: fromArrowField(field, prefix + field.name, others.find(({ name }) => name === field.name)?.type),
      nullable: field.nullable || field.type.typeId === Type.Null,
      metadata: {},
    })),
  };
}

function fromArrowField(field: Field, column: string, known: DataType | undefined): DataType {
  if (saysVariantBytes(field)) return "variant";
  const isText = isVariantField(field) || ArrowTypes.isStruct(field.type);
  return known === "variant" && isText ? known : fromArrowType(field.type, column, known);
}

/** The Delta type of an Arrow type; `column` names it in errors. See {@link fromArrowSchema}. */
export function fromArrowType(type: ArrowType, column: string, known?: DataType): DataType {
  const inside = typeof known === "object" ? known : undefined;
  const children = type.children as readonly Field[] | null;
  switch (type.typeId) {
    case Type.Dictionary:
      return fromArrowType((type as Dictionary).dictionary, column, known);
    case Type.Int:
      return integerType(type as Int) ?? refuse(type, column);
    case Type.Float:
      return (type as Float).precision === Precision.DOUBLE ? "double" : "float";
    case Type.Decimal: {
      const { precision, scale } = type as unknown as Decimal;
      return isDecimalInRange(precision, scale) ? `decimal(${precision},${scale})` : refuse(type, column);
    }
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return "string";
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return "binary";
    case Type.Bool:
      return "boolean";
    case Type.Null:
      return "void";
    case Type.Date:
      return "date";
    case Type.Timestamp:
      return (type as ArrowTimestamp).timezone ? "timestamp" : "timestamp_ntz";
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList: {
      const element = children![0];
      return {
        type: "array",
        elementType: fromArrowField(
          element,
          `${column}.element`,
          inside?.type === "array" ? inside.elementType : undefined,
        ),
        containsNull: element.nullable,
      };
    }
    case Type.Map: {
      const [key, value] = (children![0].type as Struct).children;
      return {
        type: "map",
        keyType: fromArrowType(key.type, `${column}.key`),
        valueType: fromArrowField(value, `${column}.value`, inside?.type === "map" ? inside.valueType : undefined),
        valueContainsNull: value.nullable,
      };
    }
    case Type.Struct:
      return fromArrowFields(children!, `${column}.`, known);
    default:
      return refuse(type, column);
  }
}

function integerType({ bitWidth, isSigned }: Int): DataType | undefined {
  const bits = isSigned ? bitWidth : bitWidth * 2;
  return bits === 8 ? "byte" : bits === 16 ? "short" : bits === 32 ? "integer" : bits === 64 ? "long" : undefined;
}

function refuse(type: ArrowType, column: string): never {
  throw new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `Column "${column}" has the Arrow type ${type}, which no Delta type holds; cast it first.`,
    { column, type: String(type) },
  );
}
