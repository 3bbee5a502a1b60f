import type { AddFile } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { canonicalPath } from "../../log/paths.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { checkSignal } from "../../signal.js";
import { allStored } from "../../write/stored.js";
import { packBins } from "../optimize/bins.js";
import type { StagedChange } from "../stagedChange.js";
import { type CandidateFile, CandidateFiles, removeOf } from "./candidateFiles.js";
import { RowRewriter, type RowTarget } from "./rowRewriter.js";

/** Files whose rows are in others now. */
export interface RewrittenFiles extends Pick<StagedChange, "actions" | "stored" | "discard"> {
  /** As the log compares them. */
  readonly paths: ReadonlySet<string>;
  readonly removed: readonly AddFile[];
  readonly added: readonly AddFile[];
}

export interface RewriteOptions {
  /** Whether a file is to be written anew. */
  readonly isMeant: (file: CandidateFile) => boolean | Promise<boolean>;
  /** What the new files are written for; the table as it is by default. */
  readonly target?: RowTarget;
  readonly signal: AbortSignal | undefined;
}

/** Writes the rows of some files of a table anew, as they are. Where that fails, nothing is left of it. */
export async function rewriteFiles(
  log: DeltaLog,
  snapshot: Snapshot,
  { isMeant, target, signal }: RewriteOptions,
): Promise<RewrittenFiles> {
  const targetBytes = property(snapshot.metadata, "delta.targetFileSize");
  const files: (CandidateFile & { partition: string; isWorthwhile: boolean })[] = [];
  for await (const file of new CandidateFiles(snapshot, undefined, signal)) {
    if (!(await isMeant(file))) continue;
    files.push({ ...file, partition: JSON.stringify([...file.partitionValues].sort()), isWorthwhile: true });
  }
  const removed = files.map(({ add }) => add);
  const added: AddFile[] = [];
  const stored: Promise<void>[] = [];
  const writers: RowRewriter[] = [];
  const discard = async () => {
    await Promise.all(writers.map((writer) => writer.discard()));
  };
  try {
    for (const bin of packBins(files, targetBytes)) {
      checkSignal(signal, "the rewrite");
      const writer = new RowRewriter(log, snapshot, signal, targetBytes, target);
      writers.push(writer);
      for await (const batch of writer.rows(bin)) await writer.writeKept(batch);
      const { adds, stored: own } = await writer.finish();
      added.push(...adds.map((add) => ({ ...add, dataChange: false })));
      stored.push(own);
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    actions: [...removed.map((add) => ({ remove: removeOf(add, false) })), ...added.map((add) => ({ add }))],
    paths: new Set(removed.map(({ path }) => canonicalPath(path))),
    stored: allStored(stored),
    discard,
    removed,
    added,
  };
}
