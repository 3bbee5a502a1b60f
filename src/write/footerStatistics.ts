import type { Data, RecordBatch } from "apache-arrow";
import { makeColumn } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { toArrowField } from "../arrow/schema.js";
import type { FileStatistics } from "../arrow/statistics.js";
import { type ChunkBounds, type ChunkValue, chunkBounds } from "../parquet/chunkBounds.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, StructType } from "../schema/types.js";
import type { DataFileOptions } from "./dataFiles.js";

/**
 * Adds what a file that DuckDB wrote tells of its rows, and gives their number: from its footer where that has the exact values, from the
 * values elsewhere, for which `read` gives columns. `end` are the file's last bytes, with all of the footer.
 */
export async function addFooterStatistics(
  statistics: FileStatistics,
  end: Uint8Array,
  { schema, statisticsColumns }: Pick<DataFileOptions, "schema" | "statisticsColumns">,
  read: (columns: readonly (readonly string[])[]) => AsyncIterable<RecordBatch>,
): Promise<number> {
  const { rowCount, columns } = chunkBounds(end);
  statistics.addRecords(rowCount);
  const untold: number[] = [];
  for (const [index, path] of statisticsColumns.entries()) {
    const known = ofFooter(schema, path, columns.get(path.join("\0")));
    if (known === undefined) untold.push(index);
    else for (const { nulls, bounds } of known) statistics.addKnown(index, nulls, bounds);
  }
  if (untold.length === 0) return rowCount;
  for await (const batch of read(untold.map((index) => statisticsColumns[index]!))) {
    statistics.addValues(conformBatch(batch, schema), untold);
  }
  return rowCount;
}

/** What the footer tells of a column, where it tells all. */
function ofFooter(
  schema: StructType,
  path: readonly string[],
  chunks: readonly (ChunkBounds | undefined)[] | undefined,
): readonly { readonly nulls: number; readonly bounds: Data | undefined }[] | undefined {
  const type = schema.fields.find(({ name }) => name === path[0])?.type;
  if (path.length > 1 || type === undefined || chunks === undefined) return undefined;
  const known = [];
  for (const chunk of chunks) {
    if (chunk === undefined) return undefined;
    const { nullCount: nulls, rowCount } = chunk;
    const bounds = chunk.bounds && columnOf(type, chunk.bounds);
    if (bounds === undefined && hasBounds(type) && nulls < rowCount) return undefined;
    known.push({ nulls, bounds: nulls < rowCount ? bounds : undefined });
  }
  return known;
}

function hasBounds(type: DataType): boolean {
  return typeof type === "string" && type !== "boolean" && type !== "binary";
}

/** The two values as a column of the type; undefined where they aren't what {@link FileStatistics} wants to know. */
function columnOf(type: DataType, [min, max]: readonly [ChunkValue, ChunkValue]): Data | undefined {
  const arrow = toArrowField({ name: "", type, nullable: true, metadata: {} }).type;
  const of = (buffer: ArrayBufferView) => makeColumn(arrow, 2, undefined, { values: buffer as Uint8Array });
  if (typeof min === "number" && typeof max === "number") {
    if (type !== "float" && type !== "double") return of(Int32Array.of(min, max));
    // A footer doesn't tell of NaN.
    const isClear = Number.isFinite(min) && Number.isFinite(max);
    return isClear ? of(Float64Array.of(min === 0 ? -0 : min, max === 0 ? 0 : max)) : undefined;
  }
  if (typeof min === "bigint" && typeof max === "bigint") {
    if (typeof type === "string" && parseDecimalType(type) !== undefined) {
      return of(new Uint32Array(BigInt64Array.of(min, min >> 63n, max, max >> 63n).buffer));
    }
    return of(BigInt64Array.of(min, max));
  }
  if (min instanceof Uint8Array && max instanceof Uint8Array && type === "string") {
    const offsets = Int32Array.of(0, min.length, min.length + max.length);
    return makeColumn(arrow, 2, undefined, { values: new Uint8Array(Buffer.concat([min, max])), offsets });
  }
  return undefined;
}
