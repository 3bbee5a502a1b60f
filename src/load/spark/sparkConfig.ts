import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import type { StructType } from "../../schema/types.js";
import { exactRead } from "../../sql/csvBatchTypes.js";
import { sqlType } from "../../sql/types.js";
import { VERSION } from "../../version.js";
import { openLoadTarget } from "../batchTarget.js";
import { letterPlace } from "../deadLetters.js";
import { type CsvDialect, dialectFromJson } from "../format/csv/dialect.js";
import type { ParseOptions } from "../format/format.js";
import type { JobOptions, StagedLetters } from "../jobState.js";
import { LoadJob } from "../loadJob.js";
import { checkLoadOptions, jobOptionsOf, type LoadOptions, parseOptionsOf, withJobOptions } from "../loadOptions.js";
import { FileOpener, type OpenFile, type Shapes } from "../openFile.js";
import { defaultJob, openSource } from "../openSource.js";
import { hasWildcards } from "../source/glob.js";
import type { SourceFile } from "../source/source.js";

const DEFAULT_BATCH_BYTES = 128 * 1024 * 1024;
/** Stands for a value's text in the SQL of its column. */
const TEXT = "\u0001";

/** What the job for Spark goes by, as JSON. */
export interface SparkConfig {
  readonly job: string;
  readonly table: string;
  readonly madeBy: string;
  /** Absolute paths. */
  readonly sources: readonly string[];
  readonly batchBytes: number;
  readonly ignoreChange: boolean;
  readonly options: JobOptions;
  readonly parse: ParseOptions;
  readonly shapes: Shapes;
  readonly deadLetters: StagedLetters["location"] | null;
  readonly maxBadRecords: number | null;
  readonly maxBadRatio: number | null;
  /** How to create the table; null where it is there. */
  readonly newTable: {
    readonly schemaString: string;
    readonly partitionColumns: readonly string[];
    readonly configuration: Readonly<Record<string, string | null>>;
  } | null;
  readonly columns: readonly SparkColumn[];
}

/** A column of the table, and how DuckDB makes its values of texts, as SQL. */
export interface SparkColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly sqlType: string;
  readonly read: string;
  readonly value: string;
  readonly fits: string | null;
  /** Whether a text without a `read` is no value. */
  readonly isCast: boolean;
}

/**
 * The configuration of a load on Spark: of the same job as `Table.load` with these options. Looks at the sources, and at the table, which
 * it doesn't change. Throws DELTA_INVALID_ARGUMENT for what the job for Spark can't do in the same way, and what a load throws.
 */
export async function sparkConfig(
  log: DeltaLog,
  operands: readonly string[],
  options: LoadOptions<object>,
): Promise<SparkConfig> {
  checkLoadOptions(options);
  refuse(options);
  const sources = operands.map(localSource);
  const { job = defaultJob(operands), ignoreChange = false, storage = {} } = options;
  const wanted = jobOptionsOf(options);
  const { state } = await LoadJob.open(log, job, { options: wanted, isRestart: false, ignoreChange, storage });
  const kept = withJobOptions(options, state.options);
  refuse(kept);
  const opener = new FileOpener(parseOptionsOf(kept), state.shapes, () => log.known?.schema);
  const first = await lookAt(operands, kept, opener);
  const { target } = await openLoadTarget(log, first, kept);
  const { metadata, schema, snapshot } = target;
  const { schemaString, partitionColumns, configuration } = metadata;
  return {
    job,
    table: log.store.url,
    madeBy: `delta-table/${VERSION} on Spark`,
    sources,
    batchBytes: options.batchBytes ?? DEFAULT_BATCH_BYTES,
    ignoreChange,
    options: state.options,
    parse: parseOptionsOf(kept),
    shapes: opener.shapes,
    deadLetters: options.deadLetters === false ? null : letterPlace(options.deadLetters),
    maxBadRecords: options.maxBadRecords ?? null,
    maxBadRatio: options.maxBadRatio ?? null,
    newTable: snapshot === undefined ? { schemaString, partitionColumns, configuration } : null,
    columns: columnsOf(schema, opener.shapes),
  };
}

function refuse({ where, mergeSchema, restart, rescuedDataColumn, encoding, format }: LoadOptions<object>): void {
  const refused = {
    where: where !== undefined,
    mergeSchema: mergeSchema === true,
    restart: restart === true,
    rescuedDataColumn: rescuedDataColumn !== undefined,
    encoding: encoding !== undefined && encoding !== "utf-8",
    format: format !== undefined && format !== "csv",
  };
  const options = Object.entries(refused).flatMap(([name, isRefused]) => (isRefused ? [name] : []));
  if (options.length > 0) throw unable(`the option ${options.join(" and ")}`, { options });
}

function unable(what: string, data: Record<string, unknown>): DeltaError {
  const message = `The job for Spark can't do ${what}: it loads CSV files that aren't compressed, in UTF-8, from folders that all its machines have. Load them with delta-table itself.`;
  return new DeltaError("DELTA_INVALID_ARGUMENT", message, data);
}

function localSource(operand: string): string {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(operand) && !/^file:/i.test(operand);
  if (isUrl || operand === "-") throw unable(`the source ${operand}`, { operand });
  const full = path.resolve(/^file:/i.test(operand) ? fileURLToPath(operand) : operand);
  if (hasWildcards(full) && !existsSync(full)) throw unable(`the pattern ${operand}`, { operand });
  return full;
}

/** Opens the first file of each kind, so that all shapes are known. The first of all is given back, its reader closed. */
async function lookAt(
  operands: readonly string[],
  options: LoadOptions<object>,
  opener: FileOpener,
): Promise<OpenFile | undefined> {
  await using files = openSource(operands, options.format, options.storage ?? {}, () => undefined);
  const kinds = new Set<string | undefined>();
  let first: OpenFile | undefined;
  for await (const file of files) {
    checkFile(file);
    if (kinds.has(file.delimiter) || file.identity.sizeBytes === 0) continue;
    kinds.add(file.delimiter);
    const open = await opener.open({ file, from: undefined, storedBytes: 0, isAccepted: false });
    await open.reader[Symbol.asyncDispose]();
    first ??= open;
  }
  return first;
}

function checkFile({ url, format, compression, entry }: SourceFile): void {
  if (format === "csv" && compression === "none" && entry === undefined) return;
  throw unable(`the file ${url}`, { file: url });
}

function columnsOf(schema: StructType, shapes: Shapes): SparkColumn[] {
  const dialects = Object.values(shapes).map(({ dialect }) => dialectFromJson(dialect));
  const dialect = dialects[0] ?? ({} as Partial<CsvDialect>);
  for (const { dateFormat, timestampFormat } of dialects) {
    if (dateFormat === dialect.dateFormat && timestampFormat === dialect.timestampFormat) continue;
    throw unable("files whose dates are written in several ways", {});
  }
  return schema.fields.map(({ name, type, nullable }) => {
    if (typeof type !== "string") throw unable(`the column "${name}", an ${type.type}`, { column: name });
    const { readAs, value, fits } = exactRead(type, dialect);
    const isCast = readAs !== "VARCHAR";
    const read = isCast ? `TRY_CAST(${TEXT} AS ${readAs})` : TEXT;
    const made = value(read);
    return {
      name,
      type,
      nullable,
      sqlType: sqlType(type),
      read,
      value: made,
      fits: fits?.(read, made) ?? null,
      isCast,
    };
  });
}
