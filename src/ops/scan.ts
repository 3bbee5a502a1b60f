import type { Table as ArrowTable, RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import { isFeatureActive } from "../log/features.js";
import type { Snapshot } from "../log/snapshot.js";
import type { PlanOptions } from "../read/plan.js";
import type { ReadOptions } from "../read/scan.js";
import { ROW_TRACKING_FIELDS } from "../read/trackedColumns.js";
import { withoutColumnMapping } from "../schema/columnMapping.js";
import { nearestName, resolveColumn } from "../schema/columns.js";
import { isTimeZone } from "../schema/time.js";
import type { StructField, StructType } from "../schema/types.js";
import { withVariantBytes } from "../schema/variantBytes.js";
import type { BatchSource } from "../write/input.js";
import { storedBatches } from "../write/storedBatches.js";
import { predicateOf, type WhereOption } from "./where.js";

/** What a table with row tracking tells of each row. */
export type RowTrackingColumn = "_metadata.row_id" | "_metadata.row_commit_version";

export interface ScanOptions<Row extends object = Record<string, unknown>> {
  /**
   * Top-level columns, in the order wanted; all by default. Only their bytes are read. A table with row tracking has two more, each
   * a bigint under its whole name: `_metadata.row_id`, which a row keeps however it is rewritten, and `_metadata.row_commit_version`, the
   * version that inserted or updated it last (PROTOCOL.md, Row Tracking). `where` may name them too.
   */
  readonly columns?: readonly ((keyof Row & string) | RowTrackingColumn)[];
  /** Only rows for which this is true (not null). Files that hold none are not read. */
  readonly where?: WhereOption<Row>;
  /** Rows at most; reading stops when they are there. */
  readonly limit?: number;
  /**
   * The time zone of timestamp partition values that carry none: that of the system which wrote them (an IANA name).
   * UTC by default.
   */
  readonly partitionTimeZone?: string;
  readonly signal?: AbortSignal;
}

/** What a scan reads: a version of a table, or changes of one. */
export interface ScanSource {
  /** All columns that there are. */
  readonly schema: StructType;
  /** Columns beside those, for who asks for them by name. */
  readonly rowTracking: readonly StructField[];
  batches(options: ReadOptions): AsyncGenerator<RecordBatch>;
  count(options: PlanOptions): Promise<number>;
}

/** The rows of a version. */
export function rowsOf(snapshot: Snapshot): ScanSource {
  return {
    schema: snapshot.schema,
    rowTracking: isFeatureActive("rowTracking", snapshot.protocol, snapshot.metadata) ? ROW_TRACKING_FIELDS : [],
    async *batches(options) {
      const { scanBatches } = await loaded(() => import("../read/scan.js"), "delta-table/read");
      yield* scanBatches(snapshot, options);
    },
    async count(options) {
      const counted = options.predicate === undefined ? snapshot.rowCount : undefined;
      if (counted !== undefined) return counted;
      const { countRows } = await loaded(() => import("../read/scan.js"), "delta-table/read");
      return countRows(snapshot, options);
    },
  };
}

/**
 * A read of one version of a table, or of its changes, started anew by each of its methods. The version is fixed when the first of
 * them is called.
 */
export class Scan<Row extends object = Record<string, unknown>> implements BatchSource {
  readonly #open: () => Promise<ScanSource>;
  readonly #options: ScanOptions<Row>;
  #source: Promise<ScanSource> | undefined;

  /** @internal */
  constructor(open: () => Promise<ScanSource>, options: ScanOptions<Row> = {}) {
    this.#open = open;
    this.#options = options;
  }

  /** The rows as objects, one at a time; memory stays at a few batches. */
  async *rows(): AsyncGenerator<Row> {
    for await (const rows of this.#rowBatches()) yield* rows;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Row> {
    return this.rows();
  }

  /** The rows as Arrow record batches with the table's types. */
  async *batches(): AsyncGenerator<RecordBatch> {
    const { source, options } = await this.#resolve();
    yield* source.batches(options);
  }

  /** @internal */
  async *[storedBatches](): AsyncGenerator<RecordBatch> {
    const { source, options, schema } = await this.#resolve();
    yield* source.batches({ ...options, columns: withVariantBytes(schema).fields });
  }

  /** All rows as objects. */
  async toArray(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const rows of this.#rowBatches()) for (const row of rows) all.push(row);
    return all;
  }

  /** All rows as one Arrow table. */
  async toArrow(): Promise<ArrowTable> {
    const { source, options, schema } = await this.#resolve();
    const { arrowTable } = await scanRows();
    return arrowTable(source.batches(options), schema);
  }

  /** How many rows there are. Where statistics and partition values decide, no data file is read. */
  async count(): Promise<number> {
    const { source, options } = await this.#resolve();
    const count = await source.count(options);
    return Math.min(count, options.limit ?? count);
  }

  /** The schema of the rows: the columns asked for. */
  async schema(): Promise<StructType> {
    return withoutColumnMapping((await this.#resolve()).schema);
  }

  async *#rowBatches(): AsyncGenerator<Row[]> {
    const { source, options, schema } = await this.#resolve();
    const { rowsOfBatches } = await scanRows();
    yield* rowsOfBatches<Row>(source.batches(options), schema);
  }

  async #resolve(): Promise<{ source: ScanSource; options: ReadOptions; schema: StructType }> {
    const { columns, where, limit, partitionTimeZone, signal } = this.#options;
    checkLimit(limit);
    checkTimeZone(partitionTimeZone);
    this.#source ??= this.#open().catch((error: unknown) => {
      // What couldn't be opened now may be later.
      this.#source = undefined;
      throw error;
    });
    const source = await this.#source;
    const fields = columns?.map((name) => fieldOf(source, name)) ?? source.schema.fields;
    const predicate = await predicateOf(where, allColumns(source));
    return {
      source,
      schema: { type: "struct", fields },
      options: { columns: fields, predicate, limit, partitionTimeZone, signal },
    };
  }
}

function scanRows(): Promise<typeof import("./scanRows.js")> {
  return loaded(() => import("./scanRows.js"), "delta-table/read");
}

/** A column of the table hides one of row tracking of its name. */
function allColumns({ schema, rowTracking }: ScanSource): StructType {
  const names = new Set(schema.fields.map(({ name }) => name.toLowerCase()));
  return { type: "struct", fields: [...schema.fields, ...rowTracking.filter(({ name }) => !names.has(name))] };
}

function fieldOf({ schema, rowTracking }: ScanSource, name: string): StructField {
  const field = [...schema.fields, ...rowTracking].find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  if (ROW_TRACKING_FIELDS.some((candidate) => candidate.name === name)) throw noRowTracking(name);
  const inside = resolveColumn(schema, name.split("."));
  if (inside !== undefined && inside.path.length > 1) throw partOf(inside.path[0]!, name);
  const names = schema.fields.map((candidate) => candidate.name);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `It has ${names.join(", ")}.` : `Did you mean "${nearest}"?`;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `The table has no column "${name}". ${hint}`, {
    column: name,
    nearest,
  });
}

function partOf(whole: string, column: string): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `Columns are read as a whole: ask for "${whole}" and take "${column}" from it. A condition may name it as it is.`,
    { column, nearest: whole },
  );
}

function noRowTracking(column: string): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `There is no ${column} here: only the rows of a table with delta.enableRowTracking have it, not changes. Leave it out, or turn row tracking on with an engine that can.`,
    { column },
  );
}

/** Throws `DELTA_INVALID_ARGUMENT` for a name that is no time zone's. */
export function checkTimeZone(name: string | undefined): void {
  if (name === undefined || isTimeZone(name)) return;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `partitionTimeZone is the name of a time zone such as "America/Los_Angeles", not ${JSON.stringify(name)}.`,
    { partitionTimeZone: name },
  );
}

function checkLimit(limit: number | undefined): void {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 0)) return;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `limit is a whole number from 0 up, not ${limit}.`, { limit });
}
