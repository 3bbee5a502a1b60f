import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { property } from "../../log/properties.js";
import { schemaFrom } from "../../ops/schemaOption.js";
import { predicateOf } from "../../ops/where.js";
import { predicateSql } from "../../sql/predicateSql.js";
import { endpointOf } from "../../storage/s3Options.js";
import { VERSION } from "../../version.js";
import { missingColumns, openLoadTarget } from "../batchTarget.js";
import { letterPlace } from "../deadLetters.js";
import { type CsvDialect, dialectFromJson } from "../format/csv/dialect.js";
import type { ParseOptions } from "../format/format.js";
import type { JobOptions, StagedLetters } from "../jobState.js";
import { LoadJob } from "../loadJob.js";
import {
  checkLoadOptions,
  DEFAULT_BATCH_BYTES,
  jobOptionsOf,
  type LoadOptions,
  parseOptionsOf,
  withJobOptions,
} from "../loadOptions.js";
import { FileOpener, type OpenFile, type Shapes } from "../openFile.js";
import { defaultJob, openSource } from "../openSource.js";
import { pendingFiles } from "../pendingFiles.js";
import { type CsvColumn, csvColumns, csvTypes, type SparkColumn, sparkColumns } from "./sparkColumns.js";
import { type SparkSource, sparkSource } from "./sparkSources.js";

/** What the job for Spark goes by, as JSON. */
export interface SparkConfig {
  readonly job: string;
  readonly table: string;
  readonly madeBy: string;
  readonly sources: readonly SparkSource[];
  /** How S3 is reached; keys are the machines' own. */
  readonly s3: {
    readonly endpoint?: string | undefined;
    readonly region?: string | undefined;
    readonly forcePathStyle?: boolean | undefined;
  };
  readonly batchBytes: number;
  readonly restart: boolean;
  readonly ignoreChange: boolean;
  readonly mergeSchema: boolean;
  readonly options: JobOptions;
  readonly parse: ParseOptions;
  readonly shapes: Shapes;
  /** Of the rows to load, SQL of DuckDB's; null for all. */
  readonly where: string | null;
  readonly deadLetters: StagedLetters["location"] | null;
  readonly maxBadRecords: number | null;
  readonly maxBadRatio: number | null;
  /** How long the job keeps which files it has loaded; null for ever. */
  readonly retentionMs: number | null;
  /** The schema that the table has or is to have. */
  readonly schemaString: string;
  /** How to create the table; null where it is there. */
  readonly newTable: {
    readonly partitionColumns: readonly string[];
    readonly configuration: Readonly<Record<string, string | null>>;
  } | null;
  readonly columns: readonly SparkColumn[];
  /** Names of those that the table lacks. */
  readonly addedColumns: readonly string[];
  /** By the kind of file, for each column. */
  readonly csvColumns: { readonly [kind: string]: readonly CsvColumn[] };
  /** The same for columns of the types that JSON lines may add while they are read. */
  readonly csvTypes: { readonly [kind: string]: { readonly [type: string]: CsvColumn } };
}

/**
 * The configuration of a load on Spark: of the same job as `Table.load` with these options. Looks at the sources, and at the table, to
 * which it commits nothing but dead letters that a crash kept from it. Throws DELTA_INVALID_ARGUMENT for what a cluster can't read, and what a
 * load throws.
 */
export async function sparkConfig(
  log: DeltaLog,
  operands: readonly string[],
  options: LoadOptions<object>,
): Promise<SparkConfig> {
  checkLoadOptions(options);
  checkTable(log.store.url);
  const sources = operands.map(sparkSource);
  const { job: name = defaultJob(operands), ignoreChange = false, restart = false, storage = {} } = options;
  const settings = { options: jobOptionsOf(options), isRestart: restart, ignoreChange, storage };
  const job = await LoadJob.open(log, name, settings);
  const kept = withJobOptions(options, job.state.options);
  const declared = options.schema === undefined ? undefined : schemaFrom(options.schema);
  const opener = new FileOpener(parseOptionsOf(kept), job.state.shapes, () => log.known?.schema ?? declared);
  const first = await lookAt(operands, kept, job, opener);
  const { target } = await openLoadTarget(log, first, kept);
  const { metadata, schema, snapshot } = target;
  const predicate = await predicateOf(kept.where, schema);
  const { schemaString, partitionColumns, configuration } = metadata;
  const s3 = storage.s3 ?? {};
  const isOnS3 = [log.store.url, ...sources.map(({ url }) => url)].some((url) => /^s3a?:/i.test(url));
  return {
    job: name,
    table: log.store.url,
    madeBy: `delta-table/${VERSION} on Spark`,
    sources,
    s3: {
      endpoint: isOnS3 ? endpointOf(s3) : s3.endpoint,
      region: s3.region,
      forcePathStyle: s3.forcePathStyle,
    },
    batchBytes: options.batchBytes ?? DEFAULT_BATCH_BYTES,
    restart,
    ignoreChange,
    mergeSchema: options.mergeSchema ?? false,
    options: job.state.options,
    parse: parseOptionsOf(kept),
    shapes: opener.shapes,
    where: predicate === undefined ? null : predicateSql(predicate, schema),
    deadLetters: options.deadLetters === false ? null : letterPlace(options.deadLetters),
    maxBadRecords: options.maxBadRecords ?? null,
    maxBadRatio: options.maxBadRatio ?? null,
    retentionMs: property(metadata, "deltaTable.loadRetentionDuration") ?? null,
    schemaString,
    newTable: snapshot === undefined ? { partitionColumns, configuration } : null,
    columns: sparkColumns(schema),
    addedColumns: snapshot === undefined ? [] : missingColumns(snapshot.schema, schema).map((field) => field.name),
    csvColumns: sqlOf(opener.shapes, (dialect) => csvColumns(schema, dialect)),
    csvTypes: sqlOf(opener.shapes, csvTypes),
  };
}

function checkTable(url: string): void {
  if (/^(?:memory|https?):/i.test(url)) {
    const message = `A load on Spark can't write to ${url}, which isn't on a disk or on S3.`;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", message, { table: url });
  }
}

/**
 * Opens the first file of each kind, so that all shapes are known, and with `mergeSchema` all that are to be loaded. The first one is given back,
 * closed, with the columns of all.
 */
async function lookAt(
  operands: readonly string[],
  options: LoadOptions<object>,
  { job, done, state }: LoadJob,
  opener: FileOpener,
): Promise<OpenFile | undefined> {
  const { mergeSchema = false, ignoreChange = false, storage = {} } = options;
  await using files = openSource(operands, options.format, storage, () => undefined);
  const kinds = new Set<string>();
  let first: OpenFile | undefined;
  const pending = pendingFiles(files, () => done, state.current, { ignoreChange, job, onGone: () => undefined });
  for await (const { file, isAccepted } of pending) {
    const kind = `${file.format} ${file.delimiter}`;
    if (isAccepted || file.identity.sizeBytes === 0 || (kinds.has(kind) && !mergeSchema)) continue;
    kinds.add(kind);
    const open = await opener.open({ file, from: undefined, storedBytes: 0, isAccepted: false });
    await open.reader[Symbol.asyncDispose]();
    first = first === undefined ? open : withColumnsOf(first, open);
  }
  return first;
}

function withColumnsOf(first: OpenFile, { columns }: OpenFile): OpenFile {
  const fields = [...first.columns.fields, ...missingColumns(first.columns, columns)];
  return { ...first, columns: { type: "struct", fields } };
}

/** By the kind of file. */
function sqlOf<T>(shapes: Shapes, sql: (dialect: CsvDialect) => T): { readonly [kind: string]: T } {
  const kinds = Object.entries(shapes).filter(([kind]) => kind.startsWith("csv"));
  return Object.fromEntries(kinds.map(([kind, { dialect }]) => [kind, sql(dialectFromJson(dialect))]));
}
