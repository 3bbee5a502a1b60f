import type { Data } from "apache-arrow";
import type { ArrayType, DataType, MapType, StructType } from "../schema/types.js";
import { VARIANT_BYTES } from "../schema/variantBytes.js";
import { badValue, type Place, placeOfField, placeOfItems } from "./badValue.js";
import { buildBinary, buildBoolean, buildString } from "./buildBytes.js";
import { buildDecimal, buildFloat, buildInteger, buildLong } from "./buildNumbers.js";
import { buildDate, buildTimestamp } from "./buildTimes.js";
import { makeColumn } from "./column.js";
import { nullColumn } from "./constant.js";
import { Nulls } from "./nulls.js";
import { checkKeys, columnGetter, isRecord } from "./rowShape.js";
import { toArrowType } from "./schema.js";
import { buildVariants } from "./variant/bytesColumn.js";

/** The Arrow column of JavaScript values of one type; null and undefined become null, whatever the type's nullability. */
export function buildColumn(type: DataType, values: readonly unknown[], place: Place): Data {
  switch (type) {
    case "byte":
    case "short":
    case "integer":
      return buildInteger(type, values, place);
    case "long":
      return buildLong(values, place);
    case "float":
    case "double":
      return buildFloat(type, values, place);
    case "string":
      return buildString(values, place);
    case "binary":
      return buildBinary(values, place);
    case "boolean":
      return buildBoolean(values, place);
    case "date":
      return buildDate(values, place);
    case "timestamp":
    case "timestamp_ntz":
      return buildTimestamp(type, values, place);
    case "variant":
    case VARIANT_BYTES:
      return buildVariants(values, toArrowType(VARIANT_BYTES), place);
    case "void":
      return buildVoid(values, place);
    default:
      if (typeof type === "string") return buildDecimal(type, values, place);
      if (type.type === "array") return buildArray(type, values, place);
      if (type.type === "map") return buildMap(type, values, place);
      return buildStruct(type, values, place);
  }
}

/** A column that holds nothing. */
function buildVoid(values: readonly unknown[], place: Place): Data {
  const index = values.findIndex((value) => value !== null && value !== undefined);
  if (index >= 0) throw badValue(place, index, values[index], "void", "it takes null only");
  return nullColumn(toArrowType("void"), values.length);
}

/** An array column of arrays or typed arrays. */
function buildArray(type: ArrayType, values: readonly unknown[], place: Place): Data {
  const nulls = new Nulls(values.length);
  const offsets = new Int32Array(values.length + 1);
  const items: unknown[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) nulls.add(i);
    else if (!isList(value)) throw badValue(place, i, value, type);
    else for (let k = 0; k < value.length; k++) items.push(value[k]);
    offsets[i + 1] = items.length;
  }
  const child = buildColumn(type.elementType, items, placeOfItems(place, "element", offsets));
  return makeColumn(toArrowType(type), values.length, nulls.validity, { offsets, children: [child] }, nulls.count);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** A map column of Maps, arrays of [key, value], or plain objects where keys are strings. No key may come twice. */
function buildMap(type: MapType, values: readonly unknown[], place: Place): Data {
  const nulls = new Nulls(values.length);
  const offsets = new Int32Array(values.length + 1);
  const keys: unknown[] = [];
  const items: unknown[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) nulls.add(i);
    else {
      const entries = entriesOf(value, type.keyType === "string");
      if (entries === undefined) throw badValue(place, i, value, type);
      const seen = value instanceof Map ? undefined : new Set<unknown>();
      for (const [key, item] of entries) {
        if (seen?.has(key)) throw badValue(place, i, value, type, `it has the key ${String(key)} twice`);
        seen?.add(key);
        keys.push(key);
        items.push(item);
      }
    }
    offsets[i + 1] = keys.length;
  }
  const arrowType = toArrowType(type);
  const key = buildColumn(type.keyType, keys, placeOfItems(place, "key", offsets));
  const item = buildColumn(type.valueType, items, placeOfItems(place, "value", offsets));
  const entries = makeColumn(arrowType.children[0].type, keys.length, undefined, { children: [key, item] });
  return makeColumn(arrowType, values.length, nulls.validity, { offsets, children: [entries] }, nulls.count);
}

function entriesOf(value: unknown, stringKeys: boolean): Iterable<readonly [unknown, unknown]> | undefined {
  if (value instanceof Map) return value;
  if (Array.isArray(value)) return value.every((pair) => Array.isArray(pair) && pair.length === 2) ? value : undefined;
  return stringKeys && isRecord(value) ? Object.entries(value) : undefined;
}

/** A struct column of objects. */
function buildStruct(type: StructType, values: readonly unknown[], place: Place): Data {
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) nulls.add(i);
    else if (!isRecord(value)) throw badValue(place, i, value, type);
  }
  checkKeys(type, values, place, `${place.column}.`);
  const children = type.fields.map((field) => {
    const get = columnGetter(field.name);
    const items = values.map((value) => (value === null || value === undefined ? null : get(value)));
    return buildColumn(field.type, items, placeOfField(place, field.name));
  });
  return makeColumn(toArrowType(type), values.length, nulls.validity, { children }, nulls.count);
}
