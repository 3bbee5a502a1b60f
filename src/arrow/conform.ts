import {
  type DataType as ArrowType,
  Binary,
  type Data,
  Field,
  Null,
  type RecordBatch,
  Struct,
  Type,
  Utf8,
} from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import { type Place, placeOfField, placeOfItems } from "./badValue.js";
import { intersect, isValid, validityOf } from "./bits.js";
import { castPrimitive } from "./cast.js";
import { makeBatch, makeColumn, offsetsOf, retype } from "./column.js";
import { concatValues } from "./concatValues.js";
import { nullColumn } from "./constant.js";
import { toArrowField } from "./schema.js";
import { keepShared, numbersOf, takeValues } from "./takeValues.js";
import { storedVariants, variantsOfJson } from "./variant/bytesColumn.js";
import { variantColumn } from "./variant/column.js";
import { isVariantBytesField, isVariantField } from "./variant/field.js";

/**
 * The batch in the schema's own form: its columns by name and in its order, each in the Arrow type of its Delta type.
 * Columns that the batch lacks are null (non-nullable ones too: see {@link checkNotNull}), others than the schema's are
 * dropped, and buffers are shared wherever the layout is the same.
 *
 * Cast are, at any depth: dictionaries and the large, view and fixed-size layouts; integers and floats to wider ones;
 * integers and decimals to decimals that hold all their digits; timestamps of any unit to microseconds (nanoseconds are
 * rounded down), with or without a zone as the schema says; dates in milliseconds, and dates to timestamps without a zone;
 * unsigned 64-bit integers, 32-bit ones as shorter ones, and 256-bit decimals, where each value fits; and variants as Parquet stores them to
 * JSON or, where the schema wants that, to their bytes, which JSON texts become then too.
 *
 * Throws DELTA_SCHEMA_MISMATCH (column, type, found) where types differ otherwise, and DELTA_VALUE_OUT_OF_RANGE (row,
 * column, value, type) where a value overflows; rows are counted from `firstRow`. A {@link VariantError} is for who knows the file.
 */
export function conformBatch(batch: RecordBatch, schema: StructType, firstRow = 0): RecordBatch {
  return conformToFields(batch, schema.fields.map(toArrowField), firstRow);
}

/** As {@link conformBatch}, to fields as schemas have them. */
export function conformToFields(batch: RecordBatch, targets: readonly Field[], firstRow = 0): RecordBatch {
  const rowOf = (index: number) => firstRow + index;
  const columns = targets.map((target) => {
    const source = childNamed(batch.schema.fields, batch.data.children, target.name, target.name);
    if (source === undefined) return nullColumn(target.type, batch.numRows);
    return conformColumn(source, target, { column: target.name, rowOf });
  });
  return makeBatch(targets, columns, batch.numRows);
}

function childNamed(
  fields: readonly Field[],
  children: readonly Data[],
  name: string,
  column: string,
): Data | undefined {
  const index = fields.findIndex((field) => field.name === name);
  if (index >= 0 && fields.findIndex((field, at) => at > index && field.name === name) >= 0) {
    throw new DeltaError("DELTA_SCHEMA_MISMATCH", `The batch has more than one column "${column}".`, { column });
  }
  return children[index];
}

/** The column in the layout of the field's type; see {@link conformBatch}. */
function conformColumn(data: Data, field: Field, place: Place): Data {
  const target: ArrowType = field.type;
  if (target.typeId === Type.Null) return nullColumn(target, data.length);
  if (isVariantField(field))
    return variantColumn(data, target) ?? textColumn(data, target) ?? mismatch(data, target, place);
  if (isVariantBytesField(field)) return bytesColumn(data, field, place);
  switch (data.typeId) {
    case Type.Null:
      return nullColumn(target, data.length);
    case Type.Dictionary:
      return conformColumn(decodeDictionary(data), field, place);
    case Type.Struct:
      return target.typeId === Type.Struct ? conformStruct(data, target, place) : mismatch(data, target, place);
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
      return target.typeId === Type.List ? conformList(data, target, place) : mismatch(data, target, place);
    case Type.Map:
      return target.typeId === Type.Map ? conformMap(data, target, place) : mismatch(data, target, place);
    default:
      return castPrimitive(data, target, place) ?? mismatch(data, target, place);
  }
}

/** What is JSON already. */
function textColumn(data: Data, target: ArrowType): Data | undefined {
  return data.typeId === Type.Null ? nullColumn(target, data.length) : undefined;
}

function bytesColumn(data: Data, field: Field, place: Place): Data {
  const target: ArrowType = field.type;
  if (data.typeId === Type.Null) return nullColumn(target, data.length);
  if (data.typeId === Type.Dictionary) return bytesColumn(decodeDictionary(data), field, place);
  if (data.typeId === Type.Struct) return storedVariants(plainParts(data), target) ?? mismatch(data, target, place);
  const texts = castPrimitive(data, new Utf8(), place) ?? mismatch(data, target, place);
  return variantsOfJson(texts, target, place);
}

/** A struct whose binaries are of the plain layout. */
function plainParts(data: Data): Data {
  const fields = (data.type as Struct).children as readonly Field[];
  const isPlain = fields.every(({ name, type }) => !PARTS.has(name) || type.typeId === Type.Binary);
  if (isPlain) return data;
  const children = data.children.map((child, i) => {
    if (!PARTS.has(fields[i].name)) return child;
    return castPrimitive(child, new Binary(), { column: fields[i].name, rowOf: (row) => row }) ?? child;
  });
  const own = children.map(({ type }, i) => new Field(fields[i].name, type, fields[i].nullable));
  return retype(data, new Struct(own), children);
}

const PARTS: ReadonlySet<string> = new Set(["metadata", "value"]);

function mismatch(data: Data, target: ArrowType, { column }: Place): never {
  throw new DeltaError(
    "DELTA_SCHEMA_MISMATCH",
    `Column "${column}" is ${data.type}, which can't become ${target} without loss; cast it first.`,
    { column, type: String(target), found: String(data.type) },
  );
}

function conformStruct(data: Data, target: ArrowType, place: Place): Data {
  const children = (target.children as readonly Field[]).map((field) => {
    const fields = (data.type as Struct).children;
    const child = childNamed(fields, data.children, field.name, `${place.column}.${field.name}`);
    if (child === undefined) return nullColumn(field.type, data.length);
    return conformColumn(child, field, placeOfField(place, field.name));
  });
  return retype(data, target, children);
}

function conformList(data: Data, target: ArrowType, place: Place): Data {
  const { offsets, items } = plainLists(data);
  const element = (target.children as readonly Field[])[0];
  const child = conformColumn(items, element, placeOfItems(place, "element", offsets));
  return makeColumn(target, data.length, validityOf(data), { offsets, children: [child] }, data.nullCount);
}

function conformMap(data: Data, target: ArrowType, place: Place): Data {
  const { offsets, items } = plainLists(data);
  const entries = (target.children as readonly Field[])[0].type as Struct;
  const parts = ["key", "value"] as const;
  const children = parts.map((part, index) => {
    return conformColumn(items.children[index], entries.children[index], placeOfItems(place, part, offsets));
  });
  const child = makeColumn(entries, items.length, undefined, { children });
  return makeColumn(target, data.length, validityOf(data), { offsets, children: [child] }, data.nullCount);
}

/** 32-bit offsets from 0 on, and the items that they refer to. */
function plainLists(data: Data): { offsets: Int32Array; items: Data } {
  if (data.typeId === Type.FixedSizeList) {
    const offsets = Int32Array.from({ length: data.length + 1 }, (_, index) => index * data.stride);
    return { offsets, items: data.children[0].slice(0, data.length * data.stride) };
  }
  const source = numbersOf(offsetsOf(data));
  const start = source[0] ?? 0;
  const end = source[data.length] ?? start;
  const own = source.subarray(0, data.length + 1);
  const offsets = start === 0 && own instanceof Int32Array ? own : Int32Array.from(own, (offset) => offset - start);
  return {
    offsets: data.length === 0 ? new Int32Array(1) : offsets,
    items: data.children[0].slice(start, end - start),
  };
}

/** The values that the keys stand for, as a plain column. */
function decodeDictionary(data: Data): Data {
  const words = (data.dictionary?.data ?? []).filter((part) => part.length > 0);
  // Without words, every key is null.
  if (words.length === 0) return makeColumn(new Null(), data.length, undefined, {}, 0);
  const validity = validityOf(data);
  const keys = data.values as unknown as ArrayLike<number | bigint>;
  const indices = new Uint32Array(data.length);
  // Below a null, the key may be anything.
  for (let i = 0; i < data.length; i++) if (isValid(validity, i)) indices[i] = Number(keys[i]);
  const taken = takeValues(concatValues(words), indices);
  const both = intersect(validityOf(taken), validity, data.length);
  const parts = { values: taken.values as Uint8Array, offsets: offsetsOf(taken), children: taken.children };
  return keepShared(makeColumn(taken.type, data.length, both, parts), taken);
}
