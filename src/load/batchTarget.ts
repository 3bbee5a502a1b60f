import { columnMappingOf } from "../log/columnMapping.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { property } from "../log/properties.js";
import { checkNewRules, rowRulesFor } from "../ops/rowRules.js";
import { schemaFrom } from "../ops/schemaOption.js";
import { type AppendTarget, dataFileOptions, dataFileWriter, openTarget } from "../ops/stagedAppend.js";
import { predicateOf } from "../ops/where.js";
import { checkAssignable } from "../schema/compare.js";
import { mergeSchemas } from "../schema/merge.js";
import type { StructField, StructType } from "../schema/types.js";
import { AdoptedFiles } from "../write/adoptedFiles.js";
import { filledColumns, type RowRules } from "../write/rowRules.js";
import type { BatchTarget } from "./batchSink.js";
import type { LoadOptions } from "./loadOptions.js";
import { type OpenFile, unknownColumns } from "./openFile.js";

/** The table as a batch writes to it: as it is, or as this batch creates it or adds columns to it. */
export interface LoadTarget {
  readonly target: AppendTarget;
  readonly sink: BatchTarget;
}

/** The columns of a file that a table doesn't have. Names differ by more than case. */
export function missingColumns(schema: StructType, columns: StructType): StructField[] {
  const known = new Set(schema.fields.map(({ name }) => name.toLowerCase()));
  return columns.fields.filter(({ name }) => !known.has(name.toLowerCase()));
}

/**
 * The target for a batch that begins with this file, or with none. Throws `DELTA_SCHEMA_MISMATCH` where the table lacks columns of the file and
 * may not be given them, and what creating a table throws.
 */
export async function openLoadTarget(
  log: DeltaLog,
  open: OpenFile | undefined,
  options: LoadOptions<object>,
): Promise<LoadTarget> {
  const { mergeSchema = false, partitionBy, properties, rescuedDataColumn } = options;
  const declared = options.schema === undefined ? undefined : schemaFrom(options.schema);
  const existing = (log.known ?? (await log.latestIfExists()))?.schema;
  const columns: StructType = open?.columns ?? structOf([]);
  const base = existing ?? declared ?? columns;
  if (declared !== undefined && !mergeSchema) checkAssignable(base, declared);
  const rescued: StructField[] =
    rescuedDataColumn === undefined ? [] : [{ name: rescuedDataColumn, type: "string", nullable: true, metadata: {} }];
  const added = missingColumns(base, columns);
  if (open !== undefined && added.length > 0 && !mergeSchema && rescuedDataColumn === undefined) {
    throw unknownColumns(
      open.file,
      added.map(({ name }) => name),
    );
  }
  const wanted = mergeSchema ? mergeSchemas(mergeSchemas(base, columns), declared ?? base) : base;
  const schema = mergeSchemas(wanted, structOf(rescued));
  const target = await openTarget(log, { schema, partitionBy, properties, mergeSchema });
  return loadTarget(log, target, options);
}

/** The target for what follows in a batch once it has met new columns; `before` are the rules of what came before. */
export async function widerTarget(
  log: DeltaLog,
  schema: StructType,
  options: LoadOptions<object>,
  before: RowRules | undefined,
): Promise<LoadTarget> {
  const { partitionBy, properties } = options;
  const target = await openTarget(log, { schema, partitionBy, properties, mergeSchema: true });
  return loadTarget(log, target, options, before);
}

function structOf(fields: readonly StructField[]): StructType {
  return { type: "struct", fields };
}

async function loadTarget(
  log: DeltaLog,
  plain: AppendTarget,
  { where }: LoadOptions<object>,
  before?: RowRules,
): Promise<LoadTarget> {
  if (plain.snapshot === undefined) await checkNewRules(plain);
  const rules = await rowRulesFor(plain, before);
  const target = rules === undefined ? plain : { ...plain, rules };
  const { schema, protocol, metadata } = target;
  const predicate = await predicateOf(where, schema);
  const codec = property(metadata, "delta.parquet.compression.codec");
  const sink: BatchTarget = {
    schema,
    predicate,
    rules,
    filled: filledColumns(protocol, metadata, schema),
    // What DuckDB writes has the schema's names, and no ids.
    takesParquet:
      predicate === undefined &&
      rules === undefined &&
      metadata.partitionColumns.length === 0 &&
      codec === "snappy" &&
      columnMappingOf(protocol, metadata) === "none",
    writer: dataFileWriter(log, target),
    adopted: new AdoptedFiles(log.store, dataFileOptions(target)),
  };
  return { target, sink };
}
