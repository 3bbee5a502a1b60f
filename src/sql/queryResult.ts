import type { DuckDBDataChunk } from "@duckdb/node-api";
import type { RecordBatch } from "apache-arrow";
import { buildColumn } from "../arrow/buildColumn.js";
import { makeBatch, retype } from "../arrow/column.js";
import { toArrowField } from "../arrow/schema.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import type { DuckType, PreparedColumns } from "./query.js";

/** DuckDB's type names and what of Delta's holds their values; of others their texts are given. */
const TYPES: Readonly<Record<string, DataType>> = {
  BOOLEAN: "boolean",
  TINYINT: "byte",
  SMALLINT: "short",
  INTEGER: "integer",
  BIGINT: "long",
  UTINYINT: "short",
  USMALLINT: "integer",
  UINTEGER: "long",
  UBIGINT: "decimal(20,0)",
  // Sums of integers are: as in Spark they are long, or too large.
  HUGEINT: "long",
  UHUGEINT: "long",
  FLOAT: "float",
  DOUBLE: "double",
  VARCHAR: "string",
  BLOB: "binary",
  DATE: "date",
  TIMESTAMP: "timestamp_ntz",
  TIMESTAMP_S: "timestamp_ntz",
  TIMESTAMP_MS: "timestamp_ntz",
  TIMESTAMP_NS: "timestamp_ntz",
  "TIMESTAMP WITH TIME ZONE": "timestamp",
  TIMESTAMP_TZ: "timestamp",
};

/** The schema of what a query gives. */
export function resultSchema(columns: PreparedColumns): StructType {
  return { type: "struct", fields: columns.map(columnOf) };
}

/** Variants come as JSON; in other values JSON is a text. */
function columnOf({ name, type }: PreparedColumns[number]): StructField {
  return type.alias === "JSON" ? { name, type: "variant", nullable: true, metadata: {} } : fieldOf(name, type);
}

function fieldOf(name: string, type: DuckType): StructField {
  return { name, type: deltaType(type), nullable: true, metadata: {} };
}

/** What types consist of, of which only those of a kind have some. */
interface Parts {
  readonly valueType: DuckType;
  readonly keyType: DuckType;
  readonly entryNames: readonly string[];
  readonly entryTypes: readonly DuckType[];
  readonly width: number;
  readonly scale: number;
}

function deltaType(type: DuckType): DataType {
  const parts = type as unknown as Parts;
  switch (kindOf(type)) {
    case "DECIMAL":
      return `decimal(${parts.width},${parts.scale})`;
    case "LIST":
    case "ARRAY":
      return { type: "array", elementType: deltaType(parts.valueType), containsNull: true };
    case "MAP": {
      const [keyType, valueType] = [deltaType(parts.keyType), deltaType(parts.valueType)];
      return { type: "map", keyType, valueType, valueContainsNull: true };
    }
    case "STRUCT":
      return { type: "struct", fields: parts.entryNames.map((name, i) => fieldOf(name, parts.entryTypes[i]!)) };
    default:
      // An alias such as JSON stands before the type itself.
      return TYPES[kindOf(type)] ?? "string";
  }
}

const KINDS = ["LIST", "ARRAY", "MAP", "STRUCT", "DECIMAL"] as const;
const NUMBERED: Readonly<Record<number, (typeof KINDS)[number]>> = {
  19: "DECIMAL",
  24: "LIST",
  25: "STRUCT",
  26: "MAP",
  33: "ARRAY",
};

function kindOf(type: DuckType): string {
  return NUMBERED[type.typeId] ?? (type.alias === undefined ? String(type) : "VARCHAR");
}

/** Rows of one batch, about. */
const BATCH_ROWS = 32_768;

/** What a query gives, chunk by chunk, as batches. Throws `DELTA_VALUE_OUT_OF_RANGE` for a sum beyond `long`. */
export async function* resultBatches(
  chunks: AsyncIterable<DuckDBDataChunk>,
  columns: PreparedColumns,
  schema: StructType,
): AsyncGenerator<RecordBatch> {
  const converters = columns.map(({ type }) => converterOf(type));
  const fields = schema.fields.map(toArrowField);
  let values: unknown[][] = columns.map(() => []);
  let [length, first] = [0, 0];
  const flush = () => {
    const rowOf = (index: number) => first + index;
    const data = schema.fields.map(({ name, type }, i) => {
      // A variant's column holds texts.
      const built = buildColumn(type === "variant" ? "string" : type, values[i]!, { column: name, rowOf });
      return type === "variant" ? retype(built, fields[i]!.type) : built;
    });
    const batch = makeBatch(fields, data, length);
    first += length;
    length = 0;
    values = columns.map(() => []);
    return batch;
  };
  for await (const chunk of chunks) {
    for (const [index, convert] of converters.entries()) {
      const into = values[index]!;
      for (const value of chunk.getColumnValues(index)) into.push(value === null ? null : convert(value));
    }
    length += chunk.rowCount;
    if (length >= BATCH_ROWS) yield flush();
  }
  if (length > 0) yield flush();
}

type Converter = (value: unknown) => unknown;
const itself: Converter = (value) => value;

/** Values of DuckDB's package as those that a column is built from. */
const CONVERTERS: Readonly<Record<string, Converter>> = {
  BLOB: (value) => (value as { readonly bytes: Uint8Array }).bytes,
  DATE: (value) => dateOf((value as { readonly days: number }).days),
  TIMESTAMP: (value) => (value as { readonly micros: bigint }).micros,
  "TIMESTAMP WITH TIME ZONE": (value) => (value as { readonly micros: bigint }).micros,
  TIMESTAMP_S: (value) => (value as { readonly seconds: bigint }).seconds * 1_000_000n,
  TIMESTAMP_MS: (value) => (value as { readonly millis: bigint }).millis * 1000n,
  TIMESTAMP_NS: (value) => {
    const { nanos } = value as { readonly nanos: bigint };
    return (nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n;
  },
};

const DAY_MS = 86_400_000;

function dateOf(days: number): Date {
  return new Date(days * DAY_MS);
}

function converterOf(type: DuckType): Converter {
  const parts = type as unknown as Parts;
  const kind = kindOf(type);
  switch (kind) {
    case "DECIMAL":
      return String;
    case "LIST":
    case "ARRAY": {
      const convert = nullable(converterOf(parts.valueType));
      return (value) => (value as { readonly items: readonly unknown[] }).items.map(convert);
    }
    case "MAP": {
      const [key, item] = [nullable(converterOf(parts.keyType)), nullable(converterOf(parts.valueType))];
      return (value) => {
        const { entries } = value as {
          readonly entries: readonly { readonly key: unknown; readonly value: unknown }[];
        };
        return entries.map((entry) => [key(entry.key), item(entry.value)]);
      };
    }
    case "STRUCT": {
      const members = parts.entryTypes.map((entry) => nullable(converterOf(entry)));
      return (value) => {
        const { entries } = value as { readonly entries: Readonly<Record<string, unknown>> };
        return Object.fromEntries(parts.entryNames.map((name, i) => [name, members[i]!(entries[name])]));
      };
    }
    default:
      if (CONVERTERS[kind] !== undefined) return CONVERTERS[kind];
      return TYPES[kind] === undefined ? String : itself;
  }
}

function nullable(convert: Converter): Converter {
  return (value) => (value === null || value === undefined ? null : convert(value));
}
