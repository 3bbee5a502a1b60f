import type { Action, AddFile } from "../../log/actions.js";
import { DeletionVectorReader } from "../../log/deletionVector.js";
import { DeletionVectorWriter } from "../../log/deletionVectors/write.js";
import type { Snapshot } from "../../log/snapshot.js";
import { exactJson, parseExactJson } from "../../schema/exactJson.js";
import { type CandidateFile, removeOf } from "./candidateFiles.js";
import { fileRowCount, withRemoved } from "./matchedRows.js";

/** Removes rows from files by deletion vectors (PROTOCOL.md, Deletion Vectors). */
export class RowRemover {
  readonly #snapshot: Snapshot;
  readonly #reader: DeletionVectorReader;
  readonly #writer: DeletionVectorWriter;
  readonly #signal: AbortSignal | undefined;
  /** Vectors in place of another one, and vectors of files that had none. */
  updatedCount = 0;
  addedCount = 0;

  constructor(snapshot: Snapshot, signal?: AbortSignal) {
    this.#snapshot = snapshot;
    this.#reader = new DeletionVectorReader(snapshot.store);
    this.#writer = new DeletionVectorWriter(snapshot.store, signal);
    this.#signal = signal;
  }

  /** The actions that remove these rows, besides those removed already, from a file. */
  async remove(file: CandidateFile, rows: Uint32Array): Promise<Action[]> {
    const all = await withRemoved(this.#reader, file.deletionVector, rows, this.#signal);
    if (file.deletionVector === undefined) this.addedCount++;
    else this.updatedCount++;
    const numRecords = await fileRowCount(this.#snapshot.store, file, this.#signal);
    const add: AddFile = {
      ...file.add,
      dataChange: true,
      stats: looseStatistics(file.add.stats, numRecords),
      deletionVector: this.#writer.add(all),
    };
    return [{ remove: removeOf(file.add) }, { add }];
  }

  /** Resolves once all vectors are durable. */
  finish(): Promise<void> {
    return this.#writer.finish();
  }

  discard(): Promise<void> {
    return this.#writer.discard();
  }
}

/** What a file's statistics are where a vector removes rows: its bounds hold, but may not be met. */
function looseStatistics(stats: string | undefined, numRecords: number): string {
  const told = stats === undefined ? {} : (parseExactJson(stats) as Record<string, unknown>);
  return exactJson({ ...told, numRecords, tightBounds: false });
}
