import type { RecordBatch } from "apache-arrow";
import { conformBatch } from "../arrow/conform.js";
import { underLogicalNames } from "../arrow/logicalNames.js";
import { VariantError } from "../arrow/variant/error.js";
import { DeltaError } from "../errors.js";
import { type ParquetFileRef, unreadable } from "../parquet/footer.js";
import type { ColumnMappingMode } from "../schema/columnMapping.js";
import type { StructType } from "../schema/types.js";

/**
 * A batch of a data file in the schema's own form, as {@link conformBatch} makes it, under its names. Errors name the file; those of damaged
 * variants are `DELTA_PARQUET_UNREADABLE`.
 */
export function conformFile(
  file: ParquetFileRef,
  batch: RecordBatch,
  schema: StructType,
  mode: ColumnMappingMode,
  firstRow = 0,
): RecordBatch {
  try {
    return conformBatch(underLogicalNames(batch, schema, mode), schema, firstRow);
  } catch (error) {
    if (error instanceof VariantError) throw unreadable(file, error.message, error);
    if (!(error instanceof DeltaError)) throw error;
    const { path } = file;
    throw new DeltaError(error.code, `The file ${path}: ${error.message}`, { ...error.data, path }, error);
  }
}
