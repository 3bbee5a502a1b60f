import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Int,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Timestamp,
  Type,
  Utf8,
  Vector,
} from "apache-arrow";
import { DeltaError } from "../errors.js";

/**
 * A batch of our own classes over the buffers of `batch`, which may come from another copy or version of `apache-arrow`
 * in the process: its classes have the same shape but aren't the same. Nothing is copied.
 * Throws `DELTA_INVALID_SCHEMA` for a type that no Delta column can take.
 */
export function adoptBatch(batch: RecordBatch): RecordBatch {
  if (batch instanceof RecordBatch) return batch;
  const foreign: RecordBatch = batch;
  const data = adoptData(foreign.data, "");
  return new RecordBatch(new Schema((data.type as Struct).children), data as Data<Struct>);
}

/** The schema likewise. */
export function adoptSchema(schema: Schema): Schema {
  if (schema instanceof Schema) return schema;
  const foreign: Schema = schema;
  return new Schema(foreign.fields.map((field) => adoptField(field, "")));
}

function adoptField(field: Field, parent: string): Field {
  const column = parent === "" ? field.name : `${parent}.${field.name}`;
  return new Field(field.name, adoptType(field.type, column), field.nullable, new Map(field.metadata));
}

function adoptData(data: Data, column: string): Data {
  return makeData({
    type: adoptType(data.type, column),
    offset: data.offset,
    length: data.length,
    nullCount: data.nullCount,
    nullBitmap: data.nullBitmap,
    data: data.values,
    valueOffsets: data.valueOffsets,
    children: data.children.map((child, i) => adoptData(child, `${column}.${data.type.children?.[i]?.name ?? ""}`)),
    child: data.children.length === 1 ? adoptData(data.children[0], column) : undefined,
    dictionary: data.dictionary && new Vector(data.dictionary.data.map((part) => adoptData(part, column))),
  } as never);
}

/** What types are made of, in every version. */
interface TypeParameters {
  readonly children: Field[];
  readonly isSigned: Int["isSigned"];
  readonly bitWidth: Int["bitWidth"];
  readonly precision: number;
  readonly scale: number;
  readonly byteWidth: number;
  readonly unit: number;
  readonly timezone: string | null;
  readonly listSize: number;
  readonly keysSorted: boolean;
  readonly dictionary: DataType;
  readonly indices: DataType;
  readonly id: number;
  readonly isOrdered: boolean;
}

function adoptType(foreign: DataType, column: string): DataType {
  const type = foreign as unknown as TypeParameters;
  const fields = () => type.children.map((field) => adoptField(field, column));
  // Every version numbers its types alike, and gives subtypes such as Int32 numbers below zero.
  switch (foreign.typeId as Type) {
    case Type.Null:
      return new Null();
    case Type.Bool:
      return new Bool();
    case Type.Int:
      return new Int(type.isSigned, type.bitWidth);
    case Type.Float:
      return new Float(type.precision);
    case Type.Utf8:
      return new Utf8();
    case Type.LargeUtf8:
      return new LargeUtf8();
    case Type.Binary:
      return new Binary();
    case Type.LargeBinary:
      return new LargeBinary();
    case Type.FixedSizeBinary:
      return new FixedSizeBinary(type.byteWidth);
    case Type.Decimal:
      return new Decimal(type.scale, type.precision, type.bitWidth);
    case Type.Date:
      return type.unit === 0 ? new DateDay() : new DateMillisecond();
    case Type.Timestamp:
      return new Timestamp(type.unit, type.timezone);
    case Type.List:
      return new List(fields()[0]);
    case Type.FixedSizeList:
      return new FixedSizeList(type.listSize, fields()[0]);
    case Type.Struct:
      return new Struct(fields());
    case Type.Map:
      return new Map_(fields()[0] as never, type.keysSorted);
    case Type.Dictionary:
      return new Dictionary(
        adoptType(type.dictionary, column),
        adoptType(type.indices, column) as never,
        type.id,
        type.isOrdered,
      );
    default:
      throw new DeltaError(
        "DELTA_INVALID_SCHEMA",
        `Column "${column}" has the Arrow type ${foreign}, which no Delta column can take.`,
        {
          column,
          type: String(foreign),
        },
      );
  }
}
