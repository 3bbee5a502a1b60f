import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { conformBatch } from "../../arrow/conform.js";
import { isFeatureActive } from "../../log/features.js";
import type { Snapshot } from "../../log/snapshot.js";
import type { MergeJoin } from "../../sql/merge/join.js";
import { TargetFiles } from "../../sql/merge/targetFiles.js";
import type { CandidateFile } from "../rewrite/candidateFiles.js";
import { RowQueue } from "./rowQueue.js";

/** The target's rows that a merge touches, in all columns, in the order of {@link MergeJoin.touched}, as DuckDB takes them from their files. */
export class TouchedTarget {
  readonly #snapshot: Snapshot;
  readonly #join: MergeJoin;
  readonly #files: readonly CandidateFile[];
  readonly #signal: AbortSignal | undefined;
  #queue: Promise<RowQueue | undefined> | undefined;
  #skipped = 0;

  constructor(snapshot: Snapshot, join: MergeJoin, files: readonly CandidateFile[], signal: AbortSignal | undefined) {
    this.#snapshot = snapshot;
    this.#join = join;
    this.#files = files;
    this.#signal = signal;
  }

  /** Leaves out the next rows. */
  skip(count: number): void {
    this.#skipped += count;
  }

  /** The next rows; undefined, without going on, where DuckDB can't read them as they are. */
  async take(count: number): Promise<RecordBatch[] | undefined> {
    this.#queue ??= this.#begin();
    const queue = await this.#queue;
    if (queue === undefined) return undefined;
    await queue.take(this.#skipped);
    this.#skipped = 0;
    return queue.take(count);
  }

  async close(): Promise<void> {
    await (await this.#queue)?.close();
  }

  async #begin(): Promise<RowQueue | undefined> {
    if (tracksRows(this.#snapshot)) return undefined;
    const { schema } = this.#snapshot;
    const numbers = await this.#join.touchedFiles();
    const touched = new Map(numbers.map((number) => [this.#files[number]!, number]));
    const fields = schema.fields.filter(({ type }) => type !== "void");
    const read = await TargetFiles.of(this.#snapshot, touched, fields, this.#signal);
    const { rows } = read;
    if (rows === undefined || read.files.length < touched.size) return undefined;
    const names = fields.map(({ name }) => name);
    const batches = this.#join.touchedRows(rows, names);
    try {
      return new RowQueue(conformed(await begun(batches), this.#snapshot));
    } catch (error) {
      if (this.#signal?.aborted) throw error;
      return undefined;
    }
  }
}

/** Whether rows have ids, which are told by who reads their files here. */
export function tracksRows({ protocol, metadata }: Snapshot): boolean {
  return isFeatureActive("rowTracking", protocol, metadata);
}

/** The same batches, the first of which is there. */
async function begun(batches: AsyncGenerator<RecordBatch>): Promise<AsyncGenerator<RecordBatch>> {
  const first = await batches.next();
  async function* all() {
    try {
      if (first.done) return;
      yield first.value;
      yield* batches;
    } finally {
      await batches.return(undefined);
    }
  }
  return all();
}

async function* conformed(batches: AsyncGenerator<RecordBatch>, { schema }: Snapshot): AsyncGenerator<RecordBatch> {
  for await (const batch of batches) {
    yield conformBatch(makeBatch(batch.schema.fields, batch.data.children, batch.numRows), schema);
  }
}
