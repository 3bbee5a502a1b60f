import { hasCode } from "../../errors.js";
import { loaded } from "../../lazy.js";
import type { AddFile } from "../../log/actions.js";
import { DeletionVectorReader } from "../../log/deletionVector.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import type { CopiedFile, CopiedGroup, WrittenCopy } from "../../sql/copiedRows.js";
import { allStored } from "../../write/stored.js";
import { dataFileOptions } from "../stagedAppend.js";
import type { CandidateFile } from "./candidateFiles.js";
import { withRemoved } from "./matchedRows.js";
import type { RowRewriter } from "./rowRewriter.js";

/** Bytes of files from which on it pays to start DuckDB. */
export const WORTH_BYTES = 4 * 1024 * 1024;

/** A file that waits for its rows to be copied. */
interface Waiting {
  readonly file: CandidateFile;
  readonly copied: CopiedFile;
}

/**
 * Copies rows that stay what they are, all that a file has but some, to new files by DuckDB, which needn't hand them over: where it is
 * installed, can read the files by itself and writes what this package would write. The rows of other files, {@link RowRewriter} copies.
 */
export class RowCopies {
  readonly #log: DeltaLog;
  readonly #snapshot: Snapshot;
  readonly #signal: AbortSignal | undefined;
  readonly #targetBytes: number;
  readonly #vectors: DeletionVectorReader;
  readonly #waiting: Waiting[] = [];
  #written: (WrittenCopy | undefined)[] = [];
  #isPossible: Promise<boolean> | undefined;

  constructor(
    log: DeltaLog,
    snapshot: Snapshot,
    signal?: AbortSignal,
    targetBytes = property(snapshot.metadata, "delta.targetFileSize"),
  ) {
    this.#log = log;
    this.#snapshot = snapshot;
    this.#signal = signal;
    this.#targetBytes = targetBytes;
    this.#vectors = new DeletionVectorReader(snapshot.store);
  }

  /** Takes a file, or of several all, whose rows are to be copied but `without` these; false where that isn't for DuckDB. */
  async take(files: readonly CandidateFile[], without: Uint32Array = NO_ROWS): Promise<boolean> {
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (bytes < WORTH_BYTES || this.#snapshot.store.putNewBy === undefined) return false;
    this.#isPossible ??= isPossible(this.#snapshot);
    if (!(await this.#isPossible)) return false;
    const { copyableFile } = await copying();
    const taken: Waiting[] = [];
    for (const file of files) {
      const read = await copyableFile(this.#snapshot, file, this.#signal);
      if (read === undefined) return false;
      const all = await withRemoved(this.#vectors, file.deletionVector, without, this.#signal);
      taken.push({ file, copied: { read, without: all } });
    }
    this.#waiting.push(...taken);
    return true;
  }

  /** Copies what was taken; what DuckDB can't, `rewriter` writes. */
  async finish(rewriter: RowRewriter): Promise<{ readonly adds: readonly AddFile[]; readonly stored: Promise<void> }> {
    if (this.#waiting.length === 0) return { adds: [], stored: Promise.resolve() };
    const groups = groupsOf(this.#waiting.splice(0), this.#targetBytes);
    const { protocol, metadata, schema } = this.#snapshot;
    const options = { ...dataFileOptions({ snapshot: this.#snapshot, protocol, metadata, schema }) };
    const { copyRows } = await copying();
    this.#written = await copyRows(this.#log.store, { ...options, ...signalOf(this.#signal) }, groups);
    for (const [i, { files }] of groups.entries()) {
      if (this.#written[i] === undefined) await rewrite(rewriter, files);
    }
    const written = this.#written.flatMap((copy) => copy ?? []);
    return { adds: written.map(({ add }) => add), stored: allStored(written.map(({ stored }) => stored)) };
  }

  async discard(): Promise<void> {
    if (this.#written.length > 0) await (await copying()).discardCopies(this.#log.store, this.#written);
  }
}

const NO_ROWS = new Uint32Array(0);

interface WaitingGroup extends CopiedGroup {
  readonly files: readonly (CopiedFile & { readonly file: CandidateFile })[];
}

/** Files of one partition, in their order, that fill a file of the target size. */
function groupsOf(waiting: readonly Waiting[], targetBytes: number): WaitingGroup[] {
  const open = new Map<string, { readonly group: (CopiedFile & { file: CandidateFile })[]; bytes: number }>();
  const groups: WaitingGroup[] = [];
  for (const { file, copied } of waiting) {
    const { partitionValues, size } = file.add;
    const key = JSON.stringify(Object.entries(partitionValues).sort());
    let own = open.get(key);
    if (own === undefined || own.bytes + size > targetBytes) {
      own = { group: [], bytes: 0 };
      open.set(key, own);
      groups.push({ partitionValues, files: own.group });
    }
    own.group.push({ ...copied, file });
    own.bytes += size;
  }
  return groups;
}

async function rewrite(rewriter: RowRewriter, files: WaitingGroup["files"]): Promise<void> {
  for (const { file, without } of files) {
    for await (const { kept } of rewriter.split(file, without)) await rewriter.writeKept(kept);
  }
}

function signalOf(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function isPossible(snapshot: Snapshot): Promise<boolean> {
  const { isCopyable } = await copying();
  return isCopyable(snapshot) && (await hasDuckdb());
}

/** Whether DuckDB is installed. It is loaded then. */
export async function hasDuckdb(): Promise<boolean> {
  const { loadDuckdb } = await loaded(() => import("../../sql/duckdb.js"), "delta-table/sql");
  try {
    await loadDuckdb();
    return true;
  } catch (error) {
    if (hasCode(error, "DELTA_MISSING_DEPENDENCY")) return false;
    throw error;
  }
}

function copying(): Promise<typeof import("../../sql/copiedRows.js")> {
  return loaded(() => import("../../sql/copiedRows.js"), "delta-table/sql");
}
