import type { ParquetNode } from "../parquet/fileSchema.js";
import { formatDate, formatTimestamp } from "../schema/time.js";
import type { DataType } from "../schema/types.js";

type BoundText = (bytes: Uint8Array) => string | undefined;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const sized =
  (size: number, text: (view: DataView) => string): BoundText =>
  (bytes) =>
    bytes.length === size ? text(viewOf(bytes)) : undefined;

const int32 = sized(4, (view) => String(view.getInt32(0, true)));
const int64 = sized(8, (view) => String(view.getBigInt64(0, true)));
const date = sized(4, (view) => formatDate(view.getInt32(0, true)));
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** By a column's type and what its values are stored as. */
const TEXTS: Readonly<Record<string, BoundText>> = {
  "byte INT32 INTEGER": int32,
  "short INT32 INTEGER": int32,
  "integer INT32 INTEGER": int32,
  "long INT32 INTEGER": int32,
  "long INT64 INTEGER": int64,
  "date INT32 DATE": date,
  "timestamp INT64 TIMESTAMP": sized(8, (view) => `${formatTimestamp(view.getBigInt64(0, true))}Z`),
  "timestamp_ntz INT64 TIMESTAMP": sized(8, (view) => formatTimestamp(view.getBigInt64(0, true))),
  "float FLOAT ": sized(4, (view) => String(view.getFloat32(0, true))),
  "double DOUBLE ": sized(8, (view) => String(view.getFloat64(0, true))),
  "string BYTE_ARRAY STRING": (bytes) => {
    try {
      return utf8.decode(bytes);
    } catch {
      return undefined;
    }
  },
};

/**
 * Tells a page's bounds of a column as the texts that files' statistics have; undefined for a column of another type than its values are
 * stored as.
 */
export function boundText(element: ParquetNode["element"], type: DataType): BoundText | undefined {
  if (typeof type !== "string" || element.repetition_type === "REPEATED") return undefined;
  return TEXTS[`${type} ${element.type} ${annotationOf(element)}`];
}

function annotationOf({ type, logical_type: logical, converted_type: converted }: ParquetNode["element"]): string {
  switch (logical?.type) {
    case undefined:
      return CONVERTED[converted ?? ""] ?? (converted === undefined && type?.startsWith("INT") ? "INTEGER" : "");
    case "INTEGER":
      return logical.isSigned ? "INTEGER" : "unsigned";
    case "TIMESTAMP":
      return logical.unit === "MICROS" ? "TIMESTAMP" : "another unit";
    default:
      return logical!.type;
  }
}

const CONVERTED: Readonly<Record<string, string>> = {
  INT_8: "INTEGER",
  INT_16: "INTEGER",
  INT_32: "INTEGER",
  INT_64: "INTEGER",
  UTF8: "STRING",
  DATE: "DATE",
  TIMESTAMP_MICROS: "TIMESTAMP",
};
