/** The actions of a commit (PROTOCOL.md, Actions), as their JSON holds them. */
export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

export interface Metadata {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly format: { readonly provider: string; readonly options: Readonly<Record<string, string>> };
  /** The table's schema as JSON text. */
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly createdTime?: number;
}

/** Where a file's deletion vector is, and how many of the file's rows it removes (PROTOCOL.md, Deletion Vectors). */
export interface DeletionVectorDescriptor {
  /** `u`: a file named by a UUID; `p`: a file by its absolute path; `i`: here in the log. */
  readonly storageType: string;
  /** An optional prefix and the UUID in Z85; the path; or the vector in Z85. */
  readonly pathOrInlineDv: string;
  /** Where it begins in its file, in bytes. */
  readonly offset?: number;
  /** Without what a file holds beside it: its size and its checksum. */
  readonly sizeInBytes: number;
  /** The number of rows removed. */
  readonly cardinality: number;
}

export interface AddFile {
  /** Percent-encoded, relative to the table's root, or an absolute URI. */
  readonly path: string;
  /** Values as strings (PROTOCOL.md, Partition Value Serialization); null and "" are null. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** Per-file statistics as JSON text. */
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string | null>>;
  readonly deletionVector?: DeletionVectorDescriptor;
  readonly baseRowId?: number;
  readonly defaultRowCommitVersion?: number;
  readonly clusteringProvider?: string;
}

export interface RemoveFile {
  readonly path: string;
  readonly deletionTimestamp?: number;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean;
  readonly partitionValues?: Readonly<Record<string, string | null>>;
  readonly size?: number;
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string | null>>;
  readonly deletionVector?: DeletionVectorDescriptor;
  readonly baseRowId?: number;
  readonly defaultRowCommitVersion?: number;
}

export interface AddCDCFile {
  readonly path: string;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  readonly size: number;
  readonly dataChange: false;
  readonly tags?: Readonly<Record<string, string | null>>;
}

/** Progress of an application: the newest one of an `appId` counts, whatever its number. */
export interface SetTransaction {
  readonly appId: string;
  /** A bigint where it is beyond 2^53, so that other applications' progress is kept exactly. */
  readonly version: number | bigint;
  readonly lastUpdated?: number;
}

export interface DomainMetadata {
  readonly domain: string;
  readonly configuration: string;
  readonly removed: boolean;
}

/** A Parquet file with some of a checkpoint's file actions (PROTOCOL.md, Sidecar File Information). */
export interface Sidecar {
  /** Percent-encoded; a name within the folder of sidecars, or an absolute URI of one there. */
  readonly path: string;
  readonly sizeInBytes: number;
}

export interface CommitInfo {
  readonly timestamp: number;
  readonly operation: string;
  readonly operationParameters?: Readonly<Record<string, string | null>>;
  readonly operationMetrics?: Readonly<Record<string, string>>;
  readonly engineInfo?: string;
  /** Unguessable and new for each commit: it tells whose commit a log entry is. */
  readonly txnId?: string;
  readonly readVersion?: number;
  readonly isBlindAppend?: boolean;
  readonly userMetadata?: string;
  readonly inCommitTimestamp?: number;
  readonly [extra: string]: unknown;
}

/** One line of a commit: an object with exactly one of these keys. */
export type Action =
  | { readonly commitInfo: CommitInfo }
  | { readonly protocol: Protocol }
  | { readonly metaData: Metadata }
  | { readonly add: AddFile }
  | { readonly remove: RemoveFile }
  | { readonly cdc: AddCDCFile }
  | { readonly txn: SetTransaction }
  | { readonly domainMetadata: DomainMetadata };

/** A line or row of a checkpoint. */
export type CheckpointAction =
  | Action
  | { readonly sidecar: Sidecar }
  | { readonly checkpointMetadata: { readonly version: number } };
