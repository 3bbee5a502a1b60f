/**
 * How bad a finding is.
 *
 * - `error`: somebody reads wrong rows, or none.
 * - `warning`: against the protocol, or not what it should be, but readers get the right rows; or a part that couldn't be checked.
 * - `info`: worth knowing; nothing is wrong.
 */
export type Severity = "error" | "warning" | "info";

interface FindingRow {
  readonly severity: Severity;
  /** What to do about it. */
  readonly advice: string;
}

const error = (advice: string) => ({ severity: "error", advice }) as const;
const warning = (advice: string) => ({ severity: "warning", advice }) as const;
const info = (advice: string) => ({ severity: "info", advice }) as const;

const RESTORE_LOG = "Restore the file from a backup of the log; don't write to the table before.";
const RESTORE_FILE = "Restore the file from a backup, or go back to a version without it.";
const NEW_CHECKPOINT = "Delete this checkpoint if commits or an older one hold its version, then write a new one.";
const NO_COMPACTION = "Delete this compaction if the commits are there: they say the same, and count.";
const REWRITE_FILE = "Queries that skip files by it miss rows. Rewrite the file's rows with a writer that is right.";
const WRITER_DEFECT = "The program that wrote the commit is at fault; its commitInfo names it. Report it there.";

/** Every finding that `verify` can report. Codes are stable; messages are not. spec/verify.md explains each. */
export const FINDING_CODES = {
  // the log's files
  "commit-missing": error(RESTORE_LOG),
  "history-gap": warning(
    "Versions in the gap can't be read any more; newer ones can. Restore the commits if you need them.",
  ),
  "version-not-rebuildable": error(RESTORE_LOG),
  "log-name": warning("No reader sees the file. Give it its right name, or delete it."),
  "log-foreign-file": info("Delete it if nobody knows what it is for."),
  "log-temporary-file": info("A writer that ended left it behind. Delete it once no writer is running."),

  // commits
  "commit-malformed": error(RESTORE_LOG),
  "commit-empty": warning(WRITER_DEFECT),
  "commit-duplicate-action": error(WRITER_DEFECT),
  "commit-add-and-remove": error(WRITER_DEFECT),
  "transaction-id-repeated": error(
    "One commit may have been applied twice. Compare both, and go back if rows doubled.",
  ),
  "commit-timestamp-missing": error(WRITER_DEFECT),
  "commit-timestamp-order": error(WRITER_DEFECT),
  "partition-values": error(WRITER_DEFECT),
  "add-already-live": warning("Streams and change feeds give the file's rows twice; reads don't."),
  "add-live-with-other-vector": error("The file's rows are read twice. Restore the version before."),
  "remove-not-live": warning(WRITER_DEFECT),

  // what the table says of itself
  "schema-unreadable": error("Restore the commit that set the schema."),
  "partition-column-unknown": error("Restore the commit that set the partition columns."),
  "protocol-invalid": error("Use a newer release, or restore the commit that set the protocol."),
  "features-unsupported": warning("Use a release or an engine with these features for what couldn't be checked."),
  "not-checked": info("Another engine, or a later release, can check it."),

  // checkpoints, compactions and checksums against the commits
  "checkpoint-incomplete": warning("A writer that ended left it. Readers pass over it; delete its parts."),
  "checkpoint-unreadable": error(NEW_CHECKPOINT),
  "checkpoint-file-missing": error(NEW_CHECKPOINT),
  "checkpoint-file-extra": error(NEW_CHECKPOINT),
  "checkpoint-file-differs": error(NEW_CHECKPOINT),
  "checkpoint-file-repeated": error(NEW_CHECKPOINT),
  "checkpoint-tombstone-missing": warning("VACUUM may delete the file too early for readers of older versions."),
  "checkpoint-tombstone-extra": warning(NEW_CHECKPOINT),
  "checkpoint-state-differs": error(NEW_CHECKPOINT),
  "last-checkpoint-malformed": warning("Write a new checkpoint, which replaces the pointer; or delete it."),
  "last-checkpoint-dangling": warning("Write a new checkpoint, which replaces the pointer; or delete it."),
  "last-checkpoint-differs": warning("Write a new checkpoint, which replaces the pointer; or delete it."),
  "last-checkpoint-stale": info("Readers find the newer checkpoint by themselves; the next one replaces the pointer."),
  "compaction-unreadable": error(NO_COMPACTION),
  "compaction-differs": error(NO_COMPACTION),
  "checksum-malformed": warning("Readers do without it. Delete it."),
  "checksum-differs": error(
    "Either the log was changed afterwards or the checksum's writer is at fault: find out which.",
  ),

  // data files
  "file-missing": error(RESTORE_FILE),
  "file-size": error(RESTORE_FILE),
  "file-unreadable": error(RESTORE_FILE),
  "file-row-count": error(REWRITE_FILE),
  "file-schema": error("The column can't be read. Rewrite the file with the table's type."),
  "file-outside": warning("This release reads no files outside the table's folder, and hasn't checked it."),
  "file-repeated": error("The file's rows are read twice. Restore the version before."),
  "orphan-file": info("No version needs it, unless a write is under way. VACUUM removes it."),

  // statistics and values
  "stats-malformed": warning("Readers do without the file's statistics. Rewrite it to have some."),
  "stats-min": error(REWRITE_FILE),
  "stats-max": error(REWRITE_FILE),
  "stats-max-cut": warning("A reader that takes the prefix for the maximum misses rows. Rewrite the file."),
  "stats-null-count": error(REWRITE_FILE),
  "stats-bound-unreadable": warning("Readers do without this bound. Rewrite the file to have it."),
  "stats-partition-column": warning(WRITER_DEFECT),
  "null-in-required-column": error("Rewrite the rows, or let the column be null."),

  // deletion vectors
  "vector-missing": error("Deleted rows would come back. Restore the vector's file from a backup."),
  "vector-unreadable": error("Deleted rows would come back. Restore the vector's file from a backup."),
  "vector-checksum": error("Deleted rows would come back. Restore the vector's file from a backup."),
  "vector-cardinality": error("Deleted rows would come back. Restore the vector's file from a backup."),
  "vector-out-of-range": error("The vector belongs to another file, or its file was replaced. Restore both."),
  "vector-without-row-count": error(WRITER_DEFECT),
} as const satisfies Record<string, FindingRow>;

/** A stable name of something that is wrong with a table. */
export type FindingCode = keyof typeof FINDING_CODES;
