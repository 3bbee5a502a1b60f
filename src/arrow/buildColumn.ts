import type { Data } from "apache-arrow";
import type { DataType } from "../schema/types.js";
import type { Place } from "./badValue.js";
import { buildBinary, buildBoolean, buildString } from "./buildBytes.js";
import { buildArray, buildMap, buildStruct } from "./buildNested.js";
import { buildDecimal, buildFloat, buildInteger, buildLong } from "./buildNumbers.js";
import { buildDate, buildTimestamp } from "./buildTimes.js";

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
    default:
      if (typeof type === "string") return buildDecimal(type, values, place);
      if (type.type === "array") return buildArray(type, values, place);
      if (type.type === "map") return buildMap(type, values, place);
      return buildStruct(type, values, place);
  }
}
