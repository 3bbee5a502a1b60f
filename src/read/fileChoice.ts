import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { rowsWhere, takeRows } from "../arrow/take.js";
import type { Snapshot } from "../log/snapshot.js";
import type { FileBatchOptions, FileColumn } from "../log/snapshotFiles.js";
import type { Predicate } from "../schema/predicate.js";
import { askedFacts, type FileFacts, type FileMatch, fileFilter } from "../schema/skipping.js";
import { distinctMaps } from "./distinctMaps.js";
import { NO_VALUES } from "./maps.js";
import { PartitionTests } from "./partitionTests.js";
import { statisticsReader } from "./statisticsReader.js";

/** Decides which files may hold rows for which a predicate is true, from the columns of live files that it needs. */
export class FileChoice {
  /** The columns that {@link matches} needs. */
  readonly columns: readonly FileColumn[];
  readonly #filter: (file: FileFacts) => FileMatch;
  readonly #tests: PartitionTests | undefined;
  readonly #paths: readonly (readonly string[])[];
  readonly #known = new Map<string, Partition>();

  constructor(snapshot: Snapshot, predicate: Predicate, timeZone: string | undefined) {
    const { schema, columnMapping } = snapshot;
    const { partitionColumns } = snapshot.metadata;
    const options = { timeZone, columnMapping };
    const asked = askedFacts(predicate, schema, partitionColumns, options);
    this.#filter = fileFilter(predicate, schema, partitionColumns, options);
    this.#tests = PartitionTests.of(predicate, snapshot, timeZone);
    this.#paths = asked.statistics;
    const columns: FileColumn[] = [];
    if (asked.partitionValues) columns.push("partitionValues");
    if (asked.statistics.length > 0) columns.push("stats");
    this.columns = columns;
  }

  /** The match of each row of a batch that has {@link columns}. Reading it throws `DELTA_LOG_CORRUPT`. */
  async matches(batch: RecordBatch): Promise<(row: number) => FileMatch> {
    const partitionOf = await this.#partitions(batch);
    const stats = this.#paths.length === 0 ? undefined : column(batch, "stats");
    const statisticsOf = stats && statisticsReader(stats, this.#paths);
    if (statisticsOf === undefined) {
      return (row) => {
        const { match, facts } = partitionOf(row);
        return match ?? this.#filter(facts);
      };
    }
    let current = 0;
    const statistics = () => statisticsOf(current);
    // One for all files: another for each costs more than many a decision.
    const file = { ...NO_PARTITION, statistics };
    return (row) => {
      const { match, facts } = partitionOf(row);
      if (match !== undefined) return match;
      current = row;
      file.partitionValues = facts.partitionValues;
      file.truth = facts.truth;
      return this.#filter(file);
    };
  }

  async #partitions(batch: RecordBatch): Promise<(row: number) => Partition> {
    const maps = this.columns.includes("partitionValues") ? column(batch, "partitionValues") : undefined;
    if (maps === undefined) {
      const partition = this.#partition(NO_VALUES);
      return () => partition;
    }
    const { values, indexes } = distinctMaps(maps);
    const keys = values.map((value) => JSON.stringify([...value]));
    const unknown = values.filter((_, index) => !this.#known.has(keys[index]!));
    await this.#tests?.evaluate(unknown);
    const partitions = values.map((value, index) => {
      const partition = this.#known.get(keys[index]!) ?? this.#partition(value);
      this.#known.set(keys[index]!, partition);
      return partition;
    });
    return (row) => partitions[indexes[row]!]!;
  }

  #partition(values: ReadonlyMap<string, string | null>): Partition {
    const truth = this.#tests?.truthOf(values);
    const facts: PartitionFacts = {
      partitionValues: (name) => values.get(name) ?? null,
      stats: null,
      truth: (test) => truth?.(test),
    };
    return { facts, match: this.#withoutStatistics(facts) };
  }

  /** The match, where partition values settle it. */
  #withoutStatistics(facts: FileFacts): FileMatch | undefined {
    try {
      const match = this.#filter(facts);
      return match === "some" && this.#paths.length > 0 ? undefined : match;
    } catch {
      // Statistics may settle it before anyone asks for the value that can't be read; else the file's own turn throws.
      return undefined;
    }
  }
}

type PartitionFacts = { -readonly [fact in "partitionValues" | "stats" | "truth"]-?: FileFacts[fact] };

const NO_PARTITION: PartitionFacts = { partitionValues: () => null, stats: null, truth: () => undefined };

/** Files of the same partition values. */
interface Partition {
  readonly facts: PartitionFacts;
  readonly match: FileMatch | undefined;
}

/** The live files that may hold rows for which the predicate is true, in batches of the columns asked for. */
export async function* chosenFiles(
  snapshot: Snapshot,
  predicate: Predicate,
  options: FileBatchOptions & { readonly partitionTimeZone?: string | undefined },
): AsyncGenerator<RecordBatch> {
  const { columns, signal, partitionTimeZone } = options;
  const choice = new FileChoice(snapshot, predicate, partitionTimeZone);
  const read = columns && [...new Set([...columns, ...choice.columns])];
  for await (const batch of snapshot.fileBatches({ ...(read && { columns: read }), ...(signal && { signal }) })) {
    const matchOf = await choice.matches(batch);
    const rows = rowsWhere(batch.numRows, (row) => matchOf(row) !== "none");
    if (rows.length === 0) continue;
    const asked = columns === undefined ? batch : columnsOf(batch, columns);
    yield rows.length === batch.numRows ? asked : takeRows(asked, rows);
  }
}

function columnsOf(batch: RecordBatch, columns: readonly string[]): RecordBatch {
  const places = [...batch.schema.fields.keys()].filter((place) => columns.includes(batch.schema.fields[place]!.name));
  const fields = places.map((place) => batch.schema.fields[place]!);
  return makeBatch(
    fields,
    places.map((place) => batch.data.children[place]!),
    batch.numRows,
  );
}

function column(batch: RecordBatch, name: string): Data | undefined {
  const place = batch.schema.fields.findIndex((field) => field.name === name);
  return place < 0 ? undefined : batch.data.children[place];
}
