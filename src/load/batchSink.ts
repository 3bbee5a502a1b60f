import type { RecordBatch } from "apache-arrow";
import { evaluatePredicate } from "../arrow/evaluate.js";
import { takeRows } from "../arrow/take.js";
import { DeltaError } from "../errors.js";
import { mergeSchemas } from "../schema/merge.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import type { AdoptedFiles } from "../write/adoptedFiles.js";
import type { DataFileWriter, StagedFiles } from "../write/dataFiles.js";
import { type BrokenRow, inputSchema, type LeftOut, NONE_LEFT_OUT, type RowRules } from "../write/rowRules.js";
import { allStored } from "../write/stored.js";
import type { BadLimit } from "./badLimit.js";
import type { BadRecord, RecordSink, RecordSlice } from "./format/format.js";

/** Where the rows of a batch go. */
export interface BatchTarget {
  readonly schema: StructType;
  readonly takesParquet: boolean;
  readonly predicate: Predicate | undefined;
  readonly rules: RowRules | undefined;
  /** Columns that rows may leave out. */
  readonly filled: ReadonlySet<string>;
  readonly writer: DataFileWriter;
  /** Takes the rows that come as Parquet. */
  readonly adopted: AdoptedFiles;
}

/** A slice of a file. */
export interface FileSlice {
  readonly slice: RecordSlice;
  readonly file: string;
  /** JSON: how the file is parsed. */
  readonly parser: string;
}

/** The batch's target with this schema, which has columns beside those that it had. */
export type WidenTarget = (schema: StructType) => Promise<BatchTarget>;

/** Where bad records go. */
export interface BadRecordTaker {
  add(file: string, parser: string, record: BadRecord): Promise<void>;
}

/** Takes the parsed records of one batch, and counts them. */
export class BatchSink {
  #target: BatchTarget;
  readonly #letters: BadRecordTaker | undefined;
  readonly #limit: BadLimit;
  readonly #widened: WidenTarget | undefined;
  /** Written before the table got more columns. */
  readonly #earlier: { readonly target: BatchTarget; readonly files: StagedFiles }[] = [];
  rowsRead = 0;
  rowsLoaded = 0;
  rowsDead = 0;
  rowsFiltered = 0;

  /** Without `letters` there is no place for bad records: `limit` allows none. `widened` is for records with columns of their own. */
  constructor(target: BatchTarget, letters: BadRecordTaker | undefined, limit: BadLimit, widened?: WidenTarget) {
    this.#target = target;
    this.#letters = letters;
    this.#limit = limit;
    this.#widened = widened;
  }

  /** What the rows are written in. */
  get schema(): StructType {
    return this.#target.schema;
  }

  get takesParquet(): boolean {
    return this.#target.takesParquet;
  }

  /** Parses slices of files, in their order. Throws `DELTA_INTERNAL` where the books don't balance after it. */
  async parse(slices: readonly FileSlice[]): Promise<void> {
    for (const run of runsOfOneParser(slices)) {
      const [first, ...others] = run.map(({ slice, file, parser }) => ({ slice, sink: this.#sinkOf(file, parser) }));
      if (others.length === 0) await first!.slice.parse(first!.sink);
      else await first!.slice.parseWith!(first!.sink, others);
    }
    for (const { slice } of slices) this.rowsRead += slice.recordCount;
    const told = this.rowsLoaded + this.rowsDead + this.rowsFiltered;
    if (told === this.rowsRead) return;
    const files = slices.map(({ file }) => file);
    throw new DeltaError(
      "DELTA_INTERNAL",
      `${files.join(", ")}: of ${this.rowsRead} records ${told} were accounted for. Nothing of this batch was committed.`,
      { files, rowsRead: this.rowsRead, told },
    );
  }

  /** The batch's files. */
  async finish(): Promise<StagedFiles> {
    return joined([...this.#earlier.map(({ files }) => files), await stagedFiles(this.#target)]);
  }

  async discard(): Promise<void> {
    for (const { writer, adopted } of [...this.#earlier.map(({ target }) => target), this.#target]) {
      await writer.discard();
      await adopted.discard();
    }
  }

  #sinkOf(file: string, parser: string): RecordSink {
    const target = () => this.#target;
    return {
      get schema() {
        return inputSchema(target().schema, target().filled);
      },
      get filled() {
        return target().filled;
      },
      takesParquet: this.takesParquet,
      addColumns: this.#widened === undefined ? undefined : (columns) => this.#addColumns(columns),
      write: (batch, leftOut) => this.#write(batch, leftOut),
      writeParquet: (localPath, rowCount) => this.#adopt(localPath, rowCount),
      reject: (record) => this.#reject(file, parser, record),
    };
  }

  /** Files keep the columns that they have; those that the table gets later are null in them. */
  async #addColumns(columns: StructType): Promise<boolean> {
    const schema = mergeSchemas(this.schema, columns);
    if (schema === this.schema) return false;
    const target = await this.#widened!(schema);
    this.#earlier.push({ target: this.#target, files: await stagedFiles(this.#target) });
    this.#target = target;
    return true;
  }

  async #write(batch: RecordBatch, leftOut: LeftOut = NONE_LEFT_OUT): Promise<readonly BrokenRow[]> {
    const { predicate, rules, writer } = this.#target;
    const kept = predicate === undefined ? "all" : await evaluatePredicate(predicate, batch);
    const wanted = kept === "all" ? batch : takeRows(batch, kept);
    this.rowsFiltered += batch.numRows - wanted.numRows;
    const left = kept === "all" ? leftOut : leftOutAmong(leftOut, kept);
    const sifted = await rules?.sift(wanted, { leftOut: left });
    const rows = sifted?.batch ?? wanted;
    this.rowsLoaded += rows.numRows;
    if (rows.numRows > 0) await writer.write(rows);
    if (sifted === undefined) return NONE_BROKEN;
    return kept === "all" ? sifted.broken : sifted.broken.map(({ row, error }) => ({ row: kept[row]!, error }));
  }

  async #adopt(localPath: string, rowCount: number): Promise<void> {
    if (rowCount === 0) return;
    await this.#target.adopted.add(localPath);
    this.rowsLoaded += rowCount;
  }

  async #reject(file: string, parser: string, record: BadRecord): Promise<void> {
    this.rowsDead++;
    this.#limit.add(file, record);
    await this.#letters?.add(file, parser, record);
  }
}

const NONE_BROKEN: readonly BrokenRow[] = [];

function leftOutAmong(leftOut: LeftOut, kept: Uint32Array): LeftOut {
  const some = ([name, left]: readonly [string, "all" | Uint8Array]) =>
    [name, left === "all" ? left : Uint8Array.from(kept, (row) => left[row]!)] as const;
  return new Map([...leftOut].map(some));
}

/** Slices that follow each other and may be parsed together. */
function runsOfOneParser(slices: readonly FileSlice[]): FileSlice[][] {
  const runs: FileSlice[][] = [];
  for (const one of slices) {
    const run = runs.at(-1);
    if (run !== undefined && one.slice.parseWith !== undefined && run[0]!.parser === one.parser) run.push(one);
    else runs.push([one]);
  }
  return runs;
}

async function stagedFiles({ writer, adopted }: BatchTarget): Promise<StagedFiles> {
  return joined([await adopted.finish(), await writer.finish()]);
}

function joined(all: readonly StagedFiles[]): StagedFiles {
  const stored = allStored(all.map((files) => files.stored));
  // Who waits for it is told; nobody may have come to that yet.
  stored.catch(() => undefined);
  return { adds: all.flatMap(({ adds }) => adds), stored };
}
