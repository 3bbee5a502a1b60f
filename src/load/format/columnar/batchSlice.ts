import type { RecordBatch } from "apache-arrow";
import { conformBatch } from "../../../arrow/conform.js";
import { jsonLines } from "../../../arrow/jsonLines.js";
import { checkNotNull } from "../../../arrow/notNull.js";
import { fromArrowSchema } from "../../../arrow/schema.js";
import { takeRows } from "../../../arrow/take.js";
import { checkTexts } from "../../../arrow/texts.js";
import { checkVariants } from "../../../arrow/variant/check.js";
import { checkAssignable } from "../../../schema/compare.js";
import type { StructType } from "../../../schema/types.js";
import { holdsVariants, withVariantBytes } from "../../../schema/variantBytes.js";
import { checkSignal } from "../../../signal.js";
import type { LeftOut } from "../../../write/rowRules.js";
import { recordFault } from "../faults.js";
import type { RecordPosition, RecordSink, RecordSlice } from "../format.js";
import { buildGood } from "../goodItems.js";
import { rescueColumns, type SplitColumns, splitColumns } from "./rescueColumns.js";

/** Rows that are Arrow batches already. */
export class BatchSlice implements RecordSlice {
  readonly start: RecordPosition;
  readonly end: RecordPosition;
  readonly isLast: boolean;
  readonly recordCount: number;
  readonly storedBytes: number;
  readonly decodedBytes: number;
  readonly #columns: StructType;
  readonly #batches: readonly RecordBatch[];
  readonly #rescued: string | undefined;

  constructor(
    columns: StructType,
    batches: readonly RecordBatch[],
    rescued: string | undefined,
    facts: Required<Pick<RecordSlice, "start" | "end" | "isLast" | "recordCount" | "storedBytes" | "decodedBytes">>,
  ) {
    this.start = facts.start;
    this.end = facts.end;
    this.isLast = facts.isLast;
    this.recordCount = facts.recordCount;
    this.storedBytes = facts.storedBytes;
    this.decodedBytes = facts.decodedBytes;
    this.#rescued = rescued;
    this.#columns = columns;
    this.#batches = batches;
  }

  /** Throws DELTA_SCHEMA_MISMATCH where a column's type can't become the table's, and there is no column for what doesn't fit. */
  async parse(sink: RecordSink, signal?: AbortSignal): Promise<void> {
    const columns = this.#columnsFor(sink.schema);
    const split = this.#rescued === undefined ? undefined : splitColumns(columns, sink.schema, this.#rescued);
    if (split === undefined) checkAssignable(sink.schema, columns);
    let { record } = this.start;
    for (const batch of this.#batches) {
      checkSignal(signal, "reading rows");
      await this.#parseBatch(batch, record, sink, split);
      record += batch.numRows;
    }
  }

  /** Only the table tells that structs and texts are variants. */
  #columnsFor(schema: StructType): StructType {
    const [batch] = this.#batches;
    return batch !== undefined && holdsVariants(schema) ? fromArrowSchema(batch.schema, schema) : this.#columns;
  }

  async #parseBatch(
    batch: RecordBatch,
    firstRecord: number,
    sink: RecordSink,
    split: SplitColumns | undefined,
  ): Promise<void> {
    const { schema } = sink;
    const whole =
      split !== undefined && split.others.fields.length > 0 ? rescueColumns(batch, split, this.#rescued!) : batch;
    const rows = Array.from({ length: batch.numRows }, (_, row) => row);
    const { built, bad } = buildGood(rows, (some) => {
      const taken = some.length === whole.numRows ? whole : takeRows(whole, Uint32Array.from(some));
      const conformed = conformBatch(taken, withVariantBytes(schema));
      checkVariants(conformed, schema, 0);
      checkNotNull(conformed, schema, 0);
      checkTexts(conformed, schema, 0);
      return conformed;
    });
    const isBad = new Set(bad.map(({ index }) => index));
    const good = bad.length === 0 ? rows : rows.filter((row) => !isBad.has(row));
    const absent = [...sink.filled].filter((name) => !this.#columns.fields.some((field) => field.name === name));
    const leftOut: LeftOut = new Map(absent.map((name) => [name, "all"] as const));
    const broken = built === undefined ? [] : await sink.write(built, leftOut);
    const faults = [...bad, ...broken.map(({ row, error }) => ({ index: good[row]!, error }))];
    for (const { index, error } of faults.sort((a, b) => a.index - b.index)) {
      const record = firstRecord + index;
      await sink.reject({ ...recordFault(error), record, raw: this.#json(takeRows(batch, Uint32Array.of(index))) });
    }
  }

  #json(row: RecordBatch): Uint8Array {
    const own = conformBatch(row, this.#columns);
    const line = Buffer.concat([...jsonLines(this.#columns, own)]);
    return line.subarray(0, line.length - 1);
  }
}
