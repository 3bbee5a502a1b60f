import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { nullColumn } from "../../arrow/constant.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { takeRows } from "../../arrow/take.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { isFeatureActive } from "../../log/features.js";
import type { Snapshot } from "../../log/snapshot.js";
import { ROW_INDEX, rowIndexReader } from "../../read/rowIndex.js";
import { materializedField } from "../../read/rowTracking.js";
import { scanFiles } from "../../read/scan.js";
import { ROW_TRACKING_FIELDS, trackedColumn } from "../../read/trackedColumns.js";
import type { StructField, StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import { DataFileWriter, type StagedFiles } from "../../write/dataFiles.js";
import { dataFileOptions } from "../stagedAppend.js";
import type { CandidateFile } from "./candidateFiles.js";
import { type MatchedRows, only } from "./matchedRows.js";

/** Rows of a file, those that a change touches apart from the others. */
export interface SplitRows {
  readonly touched: RecordBatch | undefined;
  readonly kept: RecordBatch | undefined;
}

/** A table as rows are written for it: the one that they are read from, or what the same commit makes of that. */
export type RowTarget = Pick<Snapshot, "protocol" | "metadata" | "schema" | "domainMetadata">;

/**
 * Writes rows of a table anew. Batches have the table's columns, variants as their bytes, and, where rows are tracked, their ids and the
 * versions of their last change behind them, which go with the rows into the new files (PROTOCOL.md, Row Tracking).
 */
export class RowRewriter {
  /** What batches have, row tracking left aside. */
  readonly schema: StructType;
  readonly #snapshot: Snapshot;
  readonly #signal: AbortSignal | undefined;
  readonly #tracked: readonly StructField[];
  readonly #stored: StructType;
  readonly #writer: DataFileWriter;
  rowCount = 0;

  constructor(
    log: DeltaLog,
    snapshot: Snapshot,
    signal?: AbortSignal,
    targetFileSizeBytes?: number,
    target: RowTarget = snapshot,
  ) {
    const { protocol, metadata, schema } = snapshot;
    this.schema = withVariantBytes(schema);
    this.#snapshot = snapshot;
    this.#signal = signal;
    this.#tracked = isFeatureActive("rowTracking", protocol, metadata) ? ROW_TRACKING_FIELDS : [];
    const materialized = this.#tracked.flatMap((field) => materializedField(trackedColumn(field)!, metadata) ?? []);
    this.#stored = { type: "struct", fields: [...withVariantBytes(target.schema).fields, ...materialized] };
    const options = dataFileOptions({
      snapshot: undefined,
      protocol: target.protocol,
      metadata: target.metadata,
      schema: target.schema,
      domains: [...target.domainMetadata.values()],
    });
    const size = targetFileSizeBytes === undefined ? {} : { targetFileSizeBytes };
    this.#writer = new DataFileWriter(log.store, { ...options, ...size, schema: this.#stored, signal });
  }

  /** The rows of a file that its deletion vector leaves, batch by batch; without `keeps`, only those that are touched. */
  async *split(file: CandidateFile, rows: MatchedRows, keeps = true): AsyncGenerator<SplitRows> {
    // A file that isn't committed yet has no ids: its rows get theirs with the commit.
    const tracked = file.add.baseRowId === undefined ? [] : this.#tracked;
    const columns = [...this.schema.fields, ...tracked, ROW_INDEX];
    const whole = { ...file, match: "all" as const };
    let next = 0;
    for await (const batch of scanFiles(this.#snapshot, only(whole), { columns, signal: this.#signal })) {
      const width = columns.length - 1;
      const placeOf = rowIndexReader(batch.data.children[width]!);
      const own = makeBatch(batch.schema.fields.slice(0, width), batch.data.children.slice(0, width), batch.numRows);
      if (rows === "all") {
        yield { touched: own, kept: undefined };
        continue;
      }
      const [touched, kept] = [new Uint32Array(batch.numRows), new Uint32Array(batch.numRows)];
      let [touchedCount, keptCount] = [0, 0];
      for (let row = 0; row < batch.numRows; row++) {
        const place = placeOf(row);
        while (next < rows.length && rows[next]! < place) next++;
        if (rows[next] === place) touched[touchedCount++] = row;
        else kept[keptCount++] = row;
      }
      yield {
        touched: taken(own, touched.subarray(0, touchedCount)),
        kept: keeps ? taken(own, kept.subarray(0, keptCount)) : undefined,
      };
    }
  }

  /** All rows of some files, batch by batch, as {@link writeKept} takes them. */
  rows(files: readonly CandidateFile[]): AsyncGenerator<RecordBatch> {
    return this.columns(files, [...this.schema.fields, ...this.#tracked]);
  }

  /** Some columns of all rows of some files. */
  columns(files: readonly CandidateFile[], columns: readonly StructField[]): AsyncGenerator<RecordBatch> {
    async function* whole() {
      for (const file of files) yield { ...file, match: "all" as const };
    }
    return scanFiles(this.#snapshot, whole(), { columns, signal: this.#signal });
  }

  /** Writes rows that stay what they are; those of different groups to different files. */
  async writeKept(batch: RecordBatch | undefined, group?: string): Promise<void> {
    if (batch === undefined) return;
    await this.#write(batch, batch.data.children.slice(this.schema.fields.length), group);
  }

  /** Writes rows that have other values now: their ids stay, their version is that of the commit. */
  async writeChanged(batch: RecordBatch): Promise<void> {
    const [id] = batch.data.children.slice(this.schema.fields.length);
    await this.#write(batch, id === undefined ? [] : [id, undefined]);
  }

  /** Writes rows that are new, in a batch of the table's columns. */
  async writeNew(batch: RecordBatch): Promise<void> {
    await this.#write(batch, []);
  }

  finish(): Promise<StagedFiles> {
    return this.#writer.finish();
  }

  discard(): Promise<void> {
    return this.#writer.discard();
  }

  async #write(batch: RecordBatch, tracked: readonly (Data | undefined)[], group?: string): Promise<void> {
    const { fields } = toArrowSchema(this.#stored);
    const width = this.schema.fields.length;
    const children = fields.map((field, i) => {
      if (i < width) return batch.data.children[i]!;
      return tracked[i - width] ?? nullColumn(field.type, batch.numRows);
    });
    this.rowCount += batch.numRows;
    await this.#writer.write(makeBatch(fields, children, batch.numRows), group);
  }
}

function taken(batch: RecordBatch, rows: Uint32Array): RecordBatch | undefined {
  if (rows.length === 0) return undefined;
  return rows.length === batch.numRows ? batch : takeRows(batch, rows);
}
