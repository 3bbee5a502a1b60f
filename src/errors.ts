/**
 * What the caller can do about an error.
 *
 * - `retry`: the same call may succeed later (throttling, a lost connection).
 * - `rebase`: another writer won; read the table again and decide anew.
 * - `fix-input`: the call is wrong (arguments, options, a path).
 * - `fix-data`: the rows or the files on storage are wrong.
 * - `fix-environment`: disk, permissions, credentials or a missing optional package.
 * - `upgrade`: the table needs a feature that this release doesn't have.
 * - `bug`: ours; please report it.
 */
export type ErrorKind = "retry" | "rebase" | "fix-input" | "fix-data" | "fix-environment" | "upgrade" | "bug";

/** Every code that a {@link DeltaError} can carry, with its kind. Codes are stable; messages are not. */
const KIND_OF = {
  // arguments and options
  DELTA_INVALID_ARGUMENT: "fix-input",
  DELTA_UNSUPPORTED_URL: "fix-input",
  DELTA_INVALID_PREDICATE: "fix-input",
  DELTA_INVALID_SQL: "fix-input",
  DELTA_UNKNOWN_PROPERTY: "fix-input",
  DELTA_INVALID_PROPERTY_VALUE: "fix-input",
  DELTA_CANNOT_MODIFY_TABLE_PROPERTY: "fix-input",
  DELTA_UNSUPPORTED_FEATURES_IN_CONFIG: "fix-input",
  DELTA_ABORTED: "fix-input",
  // merge
  DELTA_MERGE_MISSING_WHEN: "fix-input",
  DELTA_MERGE_UNRESOLVED_EXPRESSION: "fix-input",
  DELTA_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION: "fix-input",
  DELTA_NON_LAST_NOT_MATCHED_CLAUSE_OMIT_CONDITION: "fix-input",
  DELTA_NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION: "fix-input",
  DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE: "fix-data",
  // the table
  DELTA_TABLE_NOT_FOUND: "fix-input",
  DELTA_PATH_EXISTS: "fix-input",
  DELTA_READ_ONLY: "fix-input",
  DELTA_VERSION_NOT_FOUND: "fix-input",
  DELTA_TIMESTAMP_OUT_OF_RANGE: "fix-input",
  DELTA_CANNOT_MODIFY_APPEND_ONLY: "fix-input",
  DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT: "fix-input",
  DELTA_CANNOT_VACUUM_LITE: "fix-input",
  // altering
  DELTA_COLUMN_NOT_FOUND: "fix-input",
  DELTA_DUPLICATE_COLUMNS_FOUND: "fix-input",
  DELTA_UNSUPPORTED_RENAME_COLUMN: "fix-input",
  DELTA_UNSUPPORTED_DROP_COLUMN: "fix-input",
  DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN: "fix-input",
  DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN: "fix-input",
  DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA: "fix-input",
  DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP: "fix-input",
  DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE: "fix-input",
  DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE: "fix-input",
  DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE: "fix-input",
  DELTA_ADD_CONSTRAINTS: "fix-input",
  DELTA_CONSTRAINT_ALREADY_EXISTS: "fix-input",
  DELTA_CONSTRAINT_DOES_NOT_EXIST: "fix-input",
  DELTA_NEW_CHECK_CONSTRAINT_VIOLATION: "fix-data",
  DELTA_UNSET_NON_EXISTENT_PROPERTY: "fix-input",
  DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT: "fix-input",
  DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE: "fix-input",
  DELTA_FEATURE_DROP_DEPENDENT_FEATURE: "fix-input",
  DELTA_FEATURE_DROP_IN_USE: "fix-input",
  DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE: "upgrade",
  DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED: "fix-input",
  DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION: "fix-input",
  DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD: "retry",
  DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST: "retry",
  DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD: "retry",
  DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE: "fix-input",
  DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING: "fix-input",
  DELTA_INVALID_PROTOCOL_DOWNGRADE: "fix-input",
  DELTA_CLUSTERING_COLUMN_MISSING_STATS: "fix-input",
  DELTA_ICEBERG_COMPAT_VIOLATION: "fix-input",
  // schemas and values
  DELTA_INVALID_SCHEMA: "fix-input",
  DELTA_SCHEMA_MISMATCH: "fix-input",
  DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE: "fix-input",
  DELTA_CANNOT_INFER_SCHEMA: "fix-input",
  DELTA_ALTER_TABLE_CLUSTER_BY_NOT_ALLOWED: "fix-input",
  DELTA_CLUSTERING_WITH_ZORDER_BY: "fix-input",
  DELTA_INVALID_PARTITION_COLUMN: "fix-input",
  DELTA_EMPTY_DIRECTORY: "fix-input",
  DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME: "fix-input",
  DELTA_PARTITION_COLUMN_CAST_FAILED: "fix-input",
  DELTA_FAILED_TO_MERGE_FIELDS: "fix-data",
  DELTA_REPLACE_WHERE_MISMATCH: "fix-data",
  DELTA_VALUE_OUT_OF_RANGE: "fix-data",
  DELTA_NOT_NULL_CONSTRAINT_VIOLATED: "fix-data",
  DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS: "fix-data",
  // rules of rows
  DELTA_VIOLATE_CONSTRAINT_WITH_VALUES: "fix-data",
  DELTA_EXPRESSION_FAILED: "fix-data",
  DELTA_UNSUPPORTED_EXPRESSION: "upgrade",
  DELTA_INVALID_EXPRESSION: "fix-input",
  DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH: "fix-input",
  DELTA_INVALID_GENERATED_COLUMN_REFERENCES: "fix-input",
  DELTA_NON_BOOLEAN_CHECK_CONSTRAINT: "fix-input",
  DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED: "fix-input",
  DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE: "fix-input",
  DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP: "fix-input",
  DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED: "fix-input",
  DELTA_IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED: "fix-input",
  DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN: "fix-input",
  // the log
  DELTA_LOG_CORRUPT: "fix-data",
  DELTA_STATE_RECOVER_ERROR: "fix-data",
  DELTA_VERSIONS_NOT_CONTIGUOUS: "fix-data",
  DELTA_UNSUPPORTED_FEATURES_FOR_READ: "upgrade",
  DELTA_UNSUPPORTED_FEATURES_FOR_WRITE: "upgrade",
  DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT: "fix-input",
  DELTA_INVALID_PROTOCOL_VERSION: "upgrade",
  // concurrency
  DELTA_CONCURRENT_APPEND: "rebase",
  DELTA_CONCURRENT_DELETE_READ: "rebase",
  DELTA_CONCURRENT_DELETE_DELETE: "rebase",
  DELTA_CONCURRENT_TRANSACTION: "rebase",
  DELTA_METADATA_CHANGED: "rebase",
  DELTA_PROTOCOL_CHANGED: "rebase",
  DELTA_LOAD_PROGRESS_LOST: "fix-input",
  DELTA_LOAD_SOURCE_CHANGED: "fix-input",
  DELTA_LOAD_OPTIONS_CHANGED: "fix-input",
  DELTA_LOAD_TOO_MANY_BAD_RECORDS: "fix-data",
  DELTA_MAX_COMMIT_RETRIES_EXCEEDED: "retry",
  DELTA_COMMIT_OUTCOME_UNKNOWN: "retry",
  // streams
  DELTA_STREAM_CHECKPOINT_INVALID: "fix-data",
  DELTA_STREAM_CHECKPOINT_STALE: "fix-input",
  DELTA_STREAM_SOURCE_CHANGED: "fix-input",
  DELTA_STREAM_DATA_LOST: "fix-data",
  DELTA_SOURCE_IGNORE_DELETE: "fix-input",
  DELTA_SOURCE_TABLE_IGNORE_CHANGES: "fix-input",
  DELTA_SCHEMA_CHANGED: "fix-input",
  // the change data feed
  DELTA_INVALID_CDC_RANGE: "fix-input",
  DELTA_MISSING_CHANGE_DATA: "fix-input",
  DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA: "fix-input",
  DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE: "fix-input",
  DELTA_CHANGE_DATA_FILE_NOT_FOUND: "fix-data",
  // data files
  DELTA_FILE_NOT_FOUND: "fix-data",
  DELTA_DELETION_VECTOR_INVALID: "fix-data",
  DELTA_DELETION_VECTOR_INVALID_ROW_INDEX: "fix-data",
  DELTA_DELETION_VECTOR_SIZE_MISMATCH: "fix-data",
  DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH: "fix-data",
  DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH: "fix-data",
  DELTA_PARQUET_UNREADABLE: "fix-data",
  DELTA_INPUT_UNREADABLE: "fix-data",
  DELTA_UNSUPPORTED_FILE_PATH: "upgrade",
  DELTA_LIMIT_EXCEEDED: "fix-data",
  // storage
  DELTA_ACCESS_DENIED: "fix-environment",
  DELTA_DISK_FULL: "fix-environment",
  DELTA_STORAGE_UNAVAILABLE: "retry",
  DELTA_STORAGE_FAILED: "fix-environment",
  DELTA_HARD_LINKS_UNSUPPORTED: "fix-environment",
  DELTA_MISSING_DEPENDENCY: "fix-environment",
  DELTA_ENGINE_FAILED: "fix-environment",
  DELTA_INTERNAL: "bug",
} as const satisfies Record<string, ErrorKind>;

/** A stable error code, in Delta's own names where Delta has one. */
export type ErrorCode = keyof typeof KIND_OF;

/**
 * The one error class of this package.
 *
 * `code` is stable and what programs should test; `kind` says what to do; `data` carries the facts of the message
 * (path, version, column, row …) as values; `cause` is the underlying error.
 *
 * @example
 * try { await table.append(rows); }
 * catch (e) { if (e instanceof DeltaError && e.code === "DELTA_SCHEMA_MISMATCH") console.log(e.data.columns); }
 */
export class DeltaError extends Error {
  override readonly name = "DeltaError";
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, data: Record<string, unknown> = {}, cause?: unknown) {
    super(shortened(message), cause === undefined ? undefined : { cause });
    this.code = code;
    this.kind = KIND_OF[code];
    this.data = data;
  }
}

/** An error's message; the rest is cut off. */
const MAX_MESSAGE_CHARS = 10_000;

/** Names, values and paths in it are others', and may be as long as they like. */
function shortened(message: string): string {
  if (message.length <= MAX_MESSAGE_CHARS) return message;
  return `${message.slice(0, MAX_MESSAGE_CHARS)}… (${message.length - MAX_MESSAGE_CHARS} more characters)`;
}

/** True for a {@link DeltaError} with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is DeltaError {
  return error instanceof DeltaError && error.code === code;
}
