import { statisticsColumns } from "../arrow/statisticsColumns.js";
import { DeltaError } from "../errors.js";
import type { AddFile } from "../log/actions.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { encodePath } from "../log/paths.js";
import { property } from "../log/properties.js";
import { readFooter } from "../parquet/footer.js";
import { footerSchema } from "../parquet/footerSchema.js";
import type { StructField, StructType } from "../schema/types.js";
import type { ObjectMeta, ObjectStore } from "../storage/store.js";
import { commit } from "../write/transaction.js";
import { checkFolders, folderValues, PartitionGuess, partitionText } from "./convert/folders.js";
import { mergeFooter } from "./convert/mergeFooters.js";
import { fileStatistics } from "./convert/statistics.js";
import { newTable } from "./create.js";
import { inParallel } from "./parallel.js";
import { type SchemaOption, schemaFrom } from "./schemaOption.js";

export interface ConvertOptions {
  /**
   * The columns that folders such as `day=2026-01-31` name, with their types: `{ day: "date" }`. Found out from the folders where it's
   * left out: integers, dates, else texts.
   */
  readonly partitionBy?: SchemaOption;
  /** The table's schema, where it isn't to be taken from the files' footers; partition columns may be left out. */
  readonly schema?: SchemaOption;
  /** Table properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Whether the files' values are read for statistics, by which readers skip files. Default true. */
  readonly statistics?: boolean;
  readonly userMetadata?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ConvertProgress) => void;
}

export interface ConvertProgress {
  readonly step: "footers" | "statistics";
  /** Files that this is done of. */
  readonly done: number;
}

export interface ConvertResult {
  readonly version: number;
  readonly fileCount: number;
  readonly sizeBytes: number;
  /** True where the folder was a table already, so that nothing was done. */
  readonly skipped: boolean;
}

/** Files whose values are decoded at a time. */
const DECODED_AT_ONCE = 4;

/** Implements `Table.convert`; see there. */
export async function convert(log: DeltaLog, options: ConvertOptions = {}): Promise<ConvertResult> {
  const { signal, statistics = true, properties = {}, userMetadata, onProgress } = options;
  const { store } = log;
  const existing = await log.latestIfExists(signal);
  if (existing !== undefined) return { version: existing.version, fileCount: 0, sizeBytes: 0, skipped: true };

  const files = await listFiles(store, signal);
  const partitions = partitionFields(files, options.partitionBy);
  const columns = await dataFields(store, files, options, signal, (done) => onProgress?.({ step: "footers", done }));
  const schema = withPartitions(columns, partitions);
  const partitionBy = partitions.map(({ name }) => name);
  const { protocol, metadata } = newTable(schema, { partitionBy, properties });

  const listed = property(metadata, "delta.dataSkippingStatsColumns");
  const collected = statisticsColumns(schema, partitionBy, {
    numIndexedCols: property(metadata, "delta.dataSkippingNumIndexedCols"),
    statsColumns: listed === undefined ? undefined : [listed],
  });
  const adds = new Array<AddFile>(files.length);
  let done = 0;
  await inParallel(
    files.entries(),
    async ([index, file]) => {
      const footer = await readFooter(store, file, signal);
      const stats = await fileStatistics(store, footer, schema, statistics ? collected : [], signal);
      adds[index] = addOf(file, partitions, stats);
      done++;
      onProgress?.({ step: "statistics", done });
    },
    statistics ? DECODED_AT_ONCE : undefined,
  );

  const result = await commit(
    log,
    {
      read: undefined,
      actions: [{ protocol }, { metaData: metadata }, ...adds.map((add) => ({ add }))],
      operation: "CONVERT",
      operationParameters: {
        numFiles: String(files.length),
        partitionedBy: JSON.stringify(partitionBy),
        collectStats: String(statistics),
        sourceFormat: "parquet",
      },
      operationMetrics: { numConvertedFiles: String(files.length) },
      userMetadata,
    },
    signal,
  );
  if (result.status === "conflict")
    return { version: result.snapshot.version, fileCount: 0, sizeBytes: 0, skipped: true };
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { version: result.version, fileCount: files.length, sizeBytes, skipped: false };
}

/** The folder's files but for hidden ones (`_…`, `.…`). */
async function listFiles(store: ObjectStore, signal?: AbortSignal): Promise<ObjectMeta[]> {
  const isHidden = (path: string) => path.split("/").some((part) => /^[_.]/.test(part) && !part.includes("="));
  const enters = (folder: string) => !isHidden(folder.slice(0, -1));
  const files: ObjectMeta[] = [];
  for await (const file of store.list("", undefined, signal, enters)) if (!isHidden(file.path)) files.push(file);
  if (files.length > 0) return files;
  throw new DeltaError("DELTA_EMPTY_DIRECTORY", `There are no files in ${store.url} that a table could be made of.`, {
    path: store.url,
  });
}

function partitionFields(files: readonly ObjectMeta[], given: SchemaOption | undefined): readonly StructField[] {
  const declared = given === undefined ? undefined : schemaFrom(given).fields;
  const columns = declared?.map(({ name }) => name) ?? folderValues(files[0]!.path).map(([column]) => column);
  const guesses = columns.map(() => new PartitionGuess());
  for (const { path } of files) {
    const values = folderValues(path);
    checkFolders(path, values, columns);
    for (const [i, [, text]] of values.entries()) guesses[i]!.add(text);
  }
  return declared ?? columns.map((name, i) => ({ name, type: guesses[i]!.type, nullable: true, metadata: {} }));
}

async function dataFields(
  store: ObjectStore,
  files: readonly ObjectMeta[],
  { schema: given }: ConvertOptions,
  signal: AbortSignal | undefined,
  onDone: (done: number) => void,
): Promise<StructType> {
  const declared = given === undefined ? undefined : schemaFrom(given);
  const schemas = new Array<StructType | undefined>(files.length);
  let [merged, next, done] = [declared, 0, 0];
  await inParallel(files.entries(), async ([index, file]) => {
    schemas[index] = footerSchema(await readFooter(store, file, signal));
    // In the files' order, so that columns come in the same order each time; few schemas wait for their turn.
    for (; schemas[next] !== undefined; next++) {
      const own = schemas[next]!;
      merged = merged === undefined ? own : merge(merged, own, files[next]!.path, declared);
      schemas[next] = undefined;
    }
    done++;
    onDone(done);
  });
  return merged!;
}

/** A declared schema needn't have all columns of the files. */
function merge(schema: StructType, own: StructType, path: string, declared: StructType | undefined): StructType {
  const merged = mergeFooter(schema, own, path);
  return declared === undefined ? merged : schema;
}

/** Folders count where a file has a column of the same name. */
function withPartitions({ fields }: StructType, partitions: readonly StructField[]): StructType {
  const byName = new Map(partitions.map((field) => [field.name.toLowerCase(), field]));
  const kept = fields.map((field) => byName.get(field.name.toLowerCase()) ?? field);
  const names = new Set(kept.map(({ name }) => name));
  return { type: "struct", fields: [...kept, ...partitions.filter(({ name }) => !names.has(name))] };
}

function addOf(file: ObjectMeta, partitions: readonly StructField[], stats: string): AddFile {
  const values = folderValues(file.path);
  return {
    path: encodePath(file.path),
    partitionValues: Object.fromEntries(
      partitions.map((field, i) => [field.name, partitionText(field, values[i]![1], file.path)]),
    ),
    size: file.sizeBytes,
    modificationTime: file.modifiedMs,
    dataChange: true,
    stats,
  };
}
