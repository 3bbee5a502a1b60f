/** How a property's text becomes a value: undefined where it can't. */
interface PropertyRow<T> {
  readonly parse: (text: string) => T | undefined;
  readonly default: T;
  /** What a valid text looks like, for messages. */
  readonly expects: string;
}

function row<T>(parse: (text: string) => T | undefined, fallback: NoInfer<T>, expects: string): PropertyRow<T> {
  return { parse, default: fallback, expects };
}

function optional<T>(parse: (text: string) => T | undefined, expects: string): PropertyRow<T | undefined> {
  return { parse, default: undefined, expects };
}

function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}

function integerFrom(least: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text);
    return /^\s*-?\d+\s*$/.test(text) && Number.isSafeInteger(value) && value >= least ? value : undefined;
  };
}

function oneOf<T extends string>(...words: readonly T[]): (text: string) => T | undefined {
  return (text) => words.find((word) => word.toLowerCase() === text.trim().toLowerCase());
}

const MILLISECONDS = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
  microsecond: 0.001,
} as const;

/** `interval 1 week`, `7 days`, `1 day 12 hours` in milliseconds. */
function parseInterval(text: string): number | undefined {
  const words = text.trim().toLowerCase().split(/\s+/);
  if (words[0] === "interval") words.shift();
  if (words.length === 0 || words.length % 2 === 1) return undefined;
  let total = 0;
  for (let i = 0; i < words.length; i += 2) {
    const unit = words[i + 1]!.replace(/s$/, "");
    if (!/^\d+$/.test(words[i]!) || !Object.hasOwn(MILLISECONDS, unit)) return undefined;
    total += Number(words[i]) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  }
  return total;
}

const UNITS = { "": 1, b: 1, k: 2 ** 10, kb: 2 ** 10, m: 2 ** 20, mb: 2 ** 20, g: 2 ** 30, gb: 2 ** 30 } as const;

/** `134217728`, `128mb`, `1g` in bytes. */
function parseByteSize(text: string): number | undefined {
  const match = /^(\d+)\s*([a-z]{0,2})$/.exec(text.trim().toLowerCase());
  if (match === null || !Object.hasOwn(UNITS, match[2]!)) return undefined;
  const size = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return size > 0 ? size : undefined;
}

/** Deprecated names give what is written in their place (PROTOCOL.md, Table Properties). */
const CODECS = {
  zstd: "zstd",
  snappy: "snappy",
  gzip: "gzip",
  lz4_raw: "lz4_raw",
  lz4: "lz4_raw",
  uncompressed: "uncompressed",
  none: "uncompressed",
} as const;

function parseCodec(text: string): (typeof CODECS)[keyof typeof CODECS] | undefined {
  const word = text.trim().toLowerCase();
  return Object.hasOwn(CODECS, word) ? CODECS[word as keyof typeof CODECS] : undefined;
}

const anyText = (text: string) => text;
const yesNo = "true or false";
const duration = "an interval such as 'interval 7 days'";

function flag(fallback: boolean): PropertyRow<boolean> {
  return row(parseBoolean, fallback, yesNo);
}

/** Every table property of Delta's, with its default (units: milliseconds, bytes). */
export const PROPERTIES = {
  "delta.appendOnly": flag(false),
  "delta.autoOptimize": optional(parseBoolean, yesNo),
  "delta.autoOptimize.autoCompact": optional(anyText, "true, false, auto or legacy"),
  "delta.autoOptimize.optimizeWrite": optional(parseBoolean, yesNo),
  "delta.checkpoint.writeStatsAsJson": flag(true),
  "delta.checkpoint.writeStatsAsStruct": flag(false),
  "delta.checkpointInterval": row(integerFrom(1), 10, "a whole number from 1 up"),
  "delta.checkpointPolicy": row(oneOf("classic", "v2"), "classic", "classic or v2"),
  "delta.checkpointRetentionDuration": row(parseInterval, 2 * MILLISECONDS.day, duration),
  "delta.columnMapping.maxColumnId": optional(integerFrom(0), "a column id"),
  "delta.columnMapping.mode": row(oneOf("none", "name", "id"), "none", "none, name or id"),
  "delta.compatibility.symlinkFormatManifest.enabled": flag(false),
  "delta.dataSkippingNumIndexedCols": row(integerFrom(-1), 32, "a whole number from -1 up"),
  "delta.dataSkippingStatsColumns": optional(anyText, "column names, separated by commas"),
  "delta.deletedFileRetentionDuration": row(parseInterval, 7 * MILLISECONDS.day, duration),
  "delta.dropFeatureTruncateHistory.retentionDuration": row(parseInterval, MILLISECONDS.day, duration),
  "delta.enableChangeDataCapture": flag(false),
  "delta.enableChangeDataFeed": flag(false),
  "delta.enableDeletionVectors": flag(false),
  "delta.enableExpiredLogCleanup": flag(true),
  "delta.enableFullRetentionRollback": flag(true),
  "delta.enableIcebergCompatV1": flag(false),
  "delta.enableIcebergCompatV2": flag(false),
  "delta.enableIcebergCompatV3": flag(false),
  "delta.enableInCommitTimestamps": flag(false),
  "delta.enableRowTracking": flag(false),
  "delta.enableTypeWidening": flag(false),
  "delta.enableVariantShredding": flag(false),
  "delta.inCommitTimestampEnablementTimestamp": optional(integerFrom(0), "milliseconds since the epoch"),
  "delta.inCommitTimestampEnablementVersion": optional(integerFrom(0), "a version"),
  "delta.isolationLevel": row(
    oneOf("Serializable", "WriteSerializable"),
    "Serializable",
    "Serializable or WriteSerializable",
  ),
  "delta.logRetentionDuration": row(parseInterval, 30 * MILLISECONDS.day, duration),
  "delta.parquet.compression.codec": row(parseCodec, "snappy", "snappy, zstd, gzip, lz4_raw, lz4 or uncompressed"),
  "delta.parquet.format.version": optional(anyText, "a version of Parquet's format"),
  "delta.randomPrefixLength": row(integerFrom(1), 2, "a whole number from 1 up"),
  "delta.randomizeFilePrefixes": flag(false),
  "delta.requireCheckpointProtectionBeforeVersion": row(integerFrom(0), 0, "a version"),
  "delta.rowTracking.materializedRowCommitVersionColumnName": optional(anyText, "a column of data files"),
  "delta.rowTracking.materializedRowIdColumnName": optional(anyText, "a column of data files"),
  "delta.rowTrackingSuspended": flag(false),
  "delta.sampleRetentionDuration": row(parseInterval, 7 * MILLISECONDS.day, duration),
  "delta.setTransactionRetentionDuration": optional(parseInterval, duration),
  "delta.targetFileSize": row(parseByteSize, 128 * 2 ** 20, "a size such as 134217728 or 128mb"),
  "delta.tuneFileSizesForRewrites": optional(parseBoolean, yesNo),
  "delta.universalFormat.enabledFormats": optional(anyText, "names of formats, separated by commas"),
  "delta.writePartitionColumnsToParquet": flag(false),
  "deltaTable.loadRetentionDuration": optional(parseInterval, duration),
} as const;

/** Properties that the table's writers keep themselves. */
export const INTERNAL_PROPERTIES: ReadonlySet<string> = new Set([
  "delta.columnMapping.maxColumnId",
  "delta.inCommitTimestampEnablementTimestamp",
  "delta.inCommitTimestampEnablementVersion",
  "delta.requireCheckpointProtectionBeforeVersion",
  "delta.rowTracking.materializedRowCommitVersionColumnName",
  "delta.rowTracking.materializedRowIdColumnName",
]);
