import type { DataType, StructType } from "../schema/types.js";
import { quoteText } from "./duckdb.js";

export interface DataFileCopy {
  readonly schema: StructType;
  readonly compression: string;
  /** Values beyond which a column gets no dictionary. DuckDB's own limit where it's left out. */
  readonly dictionarySize?: number;
  /** Rows of a row group, about. DuckDB's own number where it's left out. */
  readonly rowGroupSize?: number;
}

/** A statement by which DuckDB writes a SELECT's rows to a file that is read again and thrown away. */
export function spoolCopy(select: string, target: string): string {
  return `COPY (${select}) TO ${quoteText(target)} (FORMAT parquet, COMPRESSION uncompressed, ${NO_DICTIONARY})`;
}

/** A statement by which DuckDB writes a SELECT's rows, of this schema, to a file that becomes a data file. */
export function dataFileCopy(
  select: string,
  target: string,
  { schema, compression, dictionarySize, rowGroupSize }: DataFileCopy,
): string {
  const options = ["FORMAT parquet", `COMPRESSION ${compression}`, "WRITE_BLOOM_FILTER false", "USE_TMP_FILE false"];
  if (hasFloats(schema)) options.push(NO_DICTIONARY);
  else if (dictionarySize !== undefined) options.push(`DICTIONARY_SIZE_LIMIT ${dictionarySize}`);
  if (rowGroupSize !== undefined) options.push(`ROW_GROUP_SIZE ${rowGroupSize}`);
  return `COPY (${select}) TO ${quoteText(target)} (${options.join(", ")})`;
}

/** In a dictionary of DuckDB's both zeros are one, and it has one limit for all columns. */
const NO_DICTIONARY = "DICTIONARY_SIZE_LIMIT 0";

function hasFloats(type: DataType): boolean {
  if (typeof type === "string") return type === "float" || type === "double";
  switch (type.type) {
    case "struct":
      return type.fields.some((field) => hasFloats(field.type));
    case "array":
      return hasFloats(type.elementType);
    case "map":
      return hasFloats(type.keyType) || hasFloats(type.valueType);
  }
}
