import type { SchemaElement, Statistics } from "hyparquet";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { leavesOf, parquetTree } from "./fileSchema.js";

/** What a file's footer says of one column in one row group. */
export interface ChunkBounds {
  readonly rowCount: number;
  readonly nullCount: number;
  /**
   * The smallest and the largest value as they are stored: a number for 32-bit integers and floats, a bigint for 64-bit integers
   * and all decimals (unscaled), bytes for texts. Undefined where the footer has none, or not the exact ones.
   */
  readonly bounds: readonly [ChunkValue, ChunkValue] | undefined;
}

export type ChunkValue = number | bigint | Uint8Array;

/** Decimals come as doubles, which hold fewer digits than this exactly. */
const EXACT_UNSCALED = 2 ** 49;

const RAW = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros,
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array) => bytes,
};

/** What a file's footer says of its rows. */
export interface FooterBounds {
  readonly rowCount: number;
  /** Of each row group, by the column's path joined with NUL. */
  readonly columns: ReadonlyMap<string, readonly (ChunkBounds | undefined)[]>;
}

/** The bounds in the footer of a whole file that was written here. */
export function chunkBounds(file: Uint8Array): FooterBounds {
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(file.length - 8, true);
  const footer = file.slice(file.length - 8 - length);
  const metadata = parquetMetadata(footer.buffer, { geoparquet: false, parsers: RAW as object });
  const leaves = leavesOf(parquetTree(metadata.schema));
  const columns = new Map(
    leaves.map(({ path, element }, index) => {
      const groups = metadata.row_groups.map((group) =>
        boundsOf(element, Number(group.num_rows), group.columns[index]?.meta_data?.statistics),
      );
      return [path.join("\0"), groups];
    }),
  );
  return { rowCount: Number(metadata.num_rows), columns };
}

function boundsOf(
  element: SchemaElement,
  rowCount: number,
  statistics: Statistics | undefined,
): ChunkBounds | undefined {
  if (statistics?.null_count === undefined) return undefined;
  const { min_value, max_value, is_min_value_exact, is_max_value_exact } = statistics;
  const [min, max] = [storedValue(element, min_value), storedValue(element, max_value)];
  const isExact = is_min_value_exact !== false && is_max_value_exact !== false;
  const bounds = isExact && min !== undefined && max !== undefined ? ([min, max] as const) : undefined;
  return { rowCount, nullCount: Number(statistics.null_count), bounds };
}

function storedValue(element: SchemaElement, value: unknown): ChunkValue | undefined {
  if (element.converted_type === "DECIMAL") {
    const unscaled = Math.round(Number(value) * 10 ** (element.scale ?? 0));
    return Math.abs(unscaled) < EXACT_UNSCALED ? BigInt(unscaled) : undefined;
  }
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Uint8Array) return value;
  return undefined;
}
