export { Timestamp } from "./arrow/timestamp.js";
export { DeltaError, type ErrorCode, type ErrorKind } from "./errors.js";
export type { Books } from "./load/books.js";
export type { CheckpointedAppendOptions, CheckpointedJob } from "./load/checkpointed.js";
export type { BadRecord, BadRecordCode, ParseOptions } from "./load/format/format.js";
export type { DeadLetter, DeadLettersOptions } from "./load/letterList.js";
export type { LoadOptions, LoadProgress, LoadResult, LoadSource } from "./load/loadOptions.js";
export type { Json } from "./load/progress.js";
export type { MendedLetter, RetryOptions, RetryResult } from "./load/retryLetters.js";
export type { SourceFormat } from "./load/source/source.js";
export type { DeletionVectorDescriptor } from "./log/actions.js";
export type { CompactionRange, WrittenCompaction } from "./log/compactionWrite.js";
export type { FeatureMeaning, FeatureReport, ProtocolReport } from "./log/protocolReport.js";
export type { FileBatchOptions, FileColumn } from "./log/snapshotFiles.js";
export type { AddedColumn, AddedColumns } from "./ops/alter/addColumns.js";
export type { AlterOptions, AlterResult } from "./ops/alter/alterTable.js";
export type { ColumnChange } from "./ops/alter/changeColumn.js";
export type { ColumnPath } from "./ops/alter/columnPath.js";
export type { TableDescriptions } from "./ops/alter/describe.js";
export type { DropFeatureOptions } from "./ops/alter/dropFeature.js";
export type { TableAlter } from "./ops/alter/tableAlter.js";
export type { ProtocolVersions } from "./ops/alter/upgradeProtocol.js";
export type { AppendOptions } from "./ops/append.js";
export type { SetOption } from "./ops/assignments.js";
export type { ChangeRow, ChangesOptions, ChangeType } from "./ops/changes.js";
export type { CloneOptions, CloneProgress, CloneResult } from "./ops/clone.js";
export type { ConvertOptions, ConvertProgress, ConvertResult } from "./ops/convert.js";
export type { CreateOptions } from "./ops/create.js";
export type { DeleteResult } from "./ops/delete.js";
export type { TableDetail } from "./ops/detail.js";
export type { DataFile, FilesOptions, ListedBatchOptions } from "./ops/files.js";
export type { FsckOptions, FsckResult, MissingFile } from "./ops/fsck.js";
export type { HistoryEntry, HistoryOptions } from "./ops/history.js";
export type {
  MatchedClause,
  MergeClauses,
  MergeCondition,
  MergeOptions,
  MergeProgress,
  MergeResult,
  MergeRowCounts,
  NotMatchedBySourceClause,
  NotMatchedClause,
} from "./ops/merge.js";
export type { OptimizeOptions, OptimizeProgress, OptimizeResult } from "./ops/optimize/optimize.js";
export type { OverwriteOptions, OverwriteResult } from "./ops/overwrite.js";
export type { TableProtocol } from "./ops/protocol.js";
export type { RestoreOptions, RestoreResult } from "./ops/restore.js";
export type { RowTrackingColumn, Scan, ScanOptions } from "./ops/scan.js";
export type { SchemaOption } from "./ops/schemaOption.js";
export type { QueriedTable, SqlOptions } from "./ops/sql.js";
export type { AppendResult } from "./ops/stagedAppend.js";
export type { ChangeResult, CommitOptions } from "./ops/stagedChange.js";
export type { RowProgress } from "./ops/stagedRows.js";
export type { TableTransaction } from "./ops/transaction.js";
export type { UpdateOptions, UpdateResult } from "./ops/update.js";
export type { VacuumOptions, VacuumProgress, VacuumResult } from "./ops/vacuum.js";
export type { VerifyOptions, VerifyProgress, VerifyReport } from "./ops/verify.js";
export type { WhereOption } from "./ops/where.js";
export type { ColumnPosition } from "./schema/editSchema.js";
export {
  type NotNull,
  notNull,
  type RowOf,
  type SchemaLiteral,
  schemaOf,
  type TypeLiteral,
  type ValueOf,
} from "./schema/literal.js";
export { type SqlText, type SqlValue, sql } from "./schema/sqlText.js";
export type {
  ArrayType,
  DataType,
  DecimalType,
  GeoType,
  MapType,
  OpenType,
  PrimitiveType,
  ReadOnlyType,
  StructField,
  StructType,
} from "./schema/types.js";
export type { ColumnWhere, Comparable, Condition, Where } from "./schema/where.js";
export type { StorageOptions } from "./storage/open.js";
export type { S3Credentials, S3Options } from "./storage/s3.js";
export type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, WrittenObject } from "./storage/store.js";
export type { WindowOptions } from "./stream/countByWindow.js";
export type { ChangeOptions } from "./stream/deltaCommit.js";
export type { TableStreamOptions } from "./stream/deltaSource.js";
export type { DropDuplicatesOptions } from "./stream/dropDuplicates.js";
export type { FolderStreamOptions } from "./stream/folderSource.js";
export type { StreamBatch } from "./stream/functionSink.js";
export type { IterableStreamOptions, ReadAfter } from "./stream/iterableSource.js";
export type { TriggerLimits } from "./stream/limits.js";
export type { StreamProgress, StreamResult, StreamRunOptions, StreamTrigger } from "./stream/run.js";
export { streamFolder, streamOf } from "./stream/sources.js";
export type { Stream, StreamTarget, ToTableOptions, WindowCount } from "./stream/stream.js";
export type { TableSinkOptions } from "./stream/tableSink.js";
export { type OpenOptions, Table } from "./table.js";
export type { FindingCode, Severity } from "./verify/findingCodes.js";
export type { Finding } from "./verify/findings.js";
export type { Orphans } from "./verify/orphans.js";
export type { BatchSource, InputRow, RowInput } from "./write/input.js";
