/**
 * How much of what others wrote is taken in, so that no table, file or row uses up memory, stack or time without bound.
 * What goes beyond is an error that names the file. spec/threat-model.md has what each limit is for.
 */
export interface Limits {
  /** A commit; it is held in memory as long as it is read. */
  readonly MAX_COMMIT_BYTES: number;
  /** A line of a commit. */
  readonly MAX_COMMIT_LINE_BYTES: number;
  /** What is asked for of each commit at first, while others are read ahead. */
  readonly COMMIT_PART_BYTES: number;
  /** A larger `_last_checkpoint` is no hint. */
  readonly MAX_LAST_CHECKPOINT_BYTES: number;
  /** Names of a folder that a listing takes in. */
  readonly MAX_LISTED_NAMES: number;
  /** Values, members and items in a JSON text: a line of a commit, a schema, a file's statistics. */
  readonly MAX_JSON_VALUES: number;
  /** JSON arrays and objects within each other. */
  readonly MAX_JSON_DEPTH: number;
  /** A line of JSON rows given to the command. */
  readonly MAX_JSON_ROW_BYTES: number;
  /** Columns, nested ones too, that JSON rows may show. */
  readonly MAX_INFERRED_COLUMNS: number;
  /** Rows times columns of JSON that are built at once. */
  readonly MAX_JSON_CELLS: number;
  /** Files in a zip archive. */
  readonly MAX_ARCHIVE_FILES: number;
  /** The directory of a zip archive. */
  readonly MAX_ARCHIVE_DIRECTORY_BYTES: number;
  /** Columns of a CSV file. */
  readonly MAX_CSV_COLUMNS: number;
  /** A record of a CSV file; a longer one is a bad record. */
  readonly MAX_CSV_RECORD_BYTES: number;
  /** What describes a message of an Arrow stream. */
  readonly MAX_ARROW_METADATA_BYTES: number;
  /** A message of an Arrow stream. */
  readonly MAX_ARROW_BODY_BYTES: number;
  /** Characters of a number as text. The exact value of a double has 1,100 at most. */
  readonly MAX_NUMBER_CHARS: number;
  /** Types within each other in a schema. */
  readonly MAX_SCHEMA_DEPTH: number;
  /** A Parquet footer. */
  readonly MAX_FOOTER_BYTES: number;
  /** Values in a Parquet footer. */
  readonly MAX_FOOTER_VALUES: number;
  /** Stored bytes of a Parquet file that are decoded at once. */
  readonly MAX_PARQUET_PART_BYTES: number;
  /** Pages without a value that follow each other in a Parquet column. */
  readonly MAX_EMPTY_PAGES: number;
  /** The memory of the Parquet library in a worker thread: what it unpacks, however small that was, has to fit. */
  readonly MAX_DECODER_MEMORY_BYTES: number;
  /** The same in the main thread, which keeps what it once had; what doesn't fit is tried in a worker. */
  readonly MAX_OWN_DECODER_MEMORY_BYTES: number;
  /** A partition value, repeated for each row of a batch. */
  readonly MAX_CONSTANT_COLUMN_BYTES: number;
  /** The JSON of a batch's variants, whose names may repeat without taking room in the file. */
  readonly MAX_VARIANT_JSON_BYTES: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const defaults: Limits = {
  MAX_COMMIT_BYTES: 2 * GIB,
  MAX_COMMIT_LINE_BYTES: 64 * MIB,
  COMMIT_PART_BYTES: 4 * MIB,
  MAX_LAST_CHECKPOINT_BYTES: MIB,
  MAX_LISTED_NAMES: 5_000_000,
  MAX_JSON_VALUES: 2_000_000,
  MAX_JSON_DEPTH: 1000,
  MAX_JSON_ROW_BYTES: 128 * MIB,
  MAX_INFERRED_COLUMNS: 5000,
  MAX_JSON_CELLS: 4_000_000,
  MAX_ARCHIVE_FILES: 200_000,
  MAX_ARCHIVE_DIRECTORY_BYTES: 64 * MIB,
  MAX_CSV_COLUMNS: 5000,
  MAX_CSV_RECORD_BYTES: 16 * MIB,
  MAX_ARROW_METADATA_BYTES: 64 * MIB,
  MAX_ARROW_BODY_BYTES: 2 * GIB,
  MAX_NUMBER_CHARS: 2000,
  MAX_SCHEMA_DEPTH: 128,
  MAX_FOOTER_BYTES: 64 * MIB,
  MAX_FOOTER_VALUES: 20_000_000,
  MAX_PARQUET_PART_BYTES: GIB,
  MAX_EMPTY_PAGES: 1000,
  MAX_DECODER_MEMORY_BYTES: 2 * GIB,
  MAX_OWN_DECODER_MEMORY_BYTES: 256 * MIB,
  MAX_CONSTANT_COLUMN_BYTES: 512 * MIB,
  MAX_VARIANT_JSON_BYTES: 512 * MIB,
};

/** The limits in force. */
export const limits: Limits = { ...defaults };

/**
 * Replaces some limits (tests only); the returned function puts the old ones back.
 * @testonly
 */
export function replaceLimits(parts: Partial<Limits>): () => void {
  const before = { ...limits };
  Object.assign(limits, parts);
  return () => Object.assign(limits, before);
}
