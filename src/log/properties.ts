import { DeltaError } from "../errors.js";
import { nearestName } from "../schema/columns.js";
import type { Metadata } from "./actions.js";
import { unwritableFeatures } from "./features.js";
import { FEATURES } from "./featureTable.js";

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

/** The properties that this release acts on, with their defaults (units: milliseconds, bytes). */
const PROPERTIES = {
  "delta.appendOnly": row(parseBoolean, false, yesNo),
  "delta.enableChangeDataFeed": row(parseBoolean, false, yesNo),
  "delta.columnMapping.mode": row(oneOf("none", "name", "id"), "none", "none, name or id"),
  "delta.columnMapping.maxColumnId": optional(integerFrom(0), "a column id"),
  "delta.enableIcebergCompatV2": row(parseBoolean, false, yesNo),
  "delta.enableTypeWidening": row(parseBoolean, false, yesNo),
  "delta.checkpointInterval": row(integerFrom(1), 10, "a whole number from 1 up"),
  "delta.checkpoint.writeStatsAsJson": row(parseBoolean, true, yesNo),
  "delta.checkpoint.writeStatsAsStruct": row(parseBoolean, false, yesNo),
  "delta.dataSkippingNumIndexedCols": row(integerFrom(-1), 32, "a whole number from -1 up"),
  "delta.dataSkippingStatsColumns": optional(anyText, "column names, separated by commas"),
  "delta.deletedFileRetentionDuration": row(parseInterval, 7 * MILLISECONDS.day, duration),
  "delta.logRetentionDuration": row(parseInterval, 30 * MILLISECONDS.day, duration),
  "delta.enableExpiredLogCleanup": row(parseBoolean, true, yesNo),
  "delta.setTransactionRetentionDuration": optional(parseInterval, duration),
  "delta.targetFileSize": row(parseByteSize, 128 * 2 ** 20, "a size such as 134217728 or 128mb"),
  "delta.parquet.compression.codec": row(parseCodec, "snappy", "snappy, zstd, gzip, lz4_raw, lz4 or uncompressed"),
  "delta.isolationLevel": row(
    oneOf("Serializable", "WriteSerializable"),
    "Serializable",
    "Serializable or WriteSerializable",
  ),
  "delta.enableInCommitTimestamps": row(parseBoolean, false, yesNo),
  "delta.inCommitTimestampEnablementVersion": optional(integerFrom(0), "a version"),
  "delta.inCommitTimestampEnablementTimestamp": optional(integerFrom(0), "milliseconds since the epoch"),
  "deltaTable.loadRetentionDuration": optional(parseInterval, duration),
} as const;

export type PropertyName = keyof typeof PROPERTIES;
export type PropertyValue<N extends PropertyName> = (typeof PROPERTIES)[N]["default"];

const KNOWN_NAMES: readonly string[] = [
  ...new Set([...Object.keys(PROPERTIES), ...FEATURES.flatMap(({ property }) => property ?? [])]),
];

/**
 * A table property's value, or its default where the table doesn't set it. Throws `DELTA_INVALID_PROPERTY_VALUE`
 * naming it where its text makes no sense: guessing could delete or keep the wrong things.
 */
export function property<N extends PropertyName>(metadata: Pick<Metadata, "configuration">, name: N): PropertyValue<N> {
  const text = Object.hasOwn(metadata.configuration, name) ? metadata.configuration[name] : undefined;
  return text === undefined || text === null ? PROPERTIES[name].default : (parsed(name, text) as PropertyValue<N>);
}

/**
 * Checks the properties that a new table asks for. Names outside `delta.` are free.
 *
 * Throws `DELTA_UNKNOWN_PROPERTY` (with the nearest name in `data.nearest`), `DELTA_INVALID_PROPERTY_VALUE`, or
 * `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE` where a property turns on a feature that this release can't honour.
 */
export function checkNewProperties(configuration: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(configuration)) {
    if (Object.hasOwn(PROPERTIES, name)) parsed(name as PropertyName, text);
    if (!name.startsWith("delta.") || name.startsWith("delta.constraints.")) continue;
    if (!KNOWN_NAMES.includes(name)) throw unknownProperty(name);
  }
  const features = unwritableFeatures({ schemaString: "", configuration });
  if (features.length > 0) {
    throw new DeltaError(
      "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
      `The table's properties turn on ${features.join(", ")}, which this release can't write. Leave them out.`,
      { features },
    );
  }
}

function parsed(name: PropertyName, text: string): unknown {
  const { parse, expects } = PROPERTIES[name];
  const value = parse(text);
  if (value !== undefined) return value;
  throw new DeltaError(
    "DELTA_INVALID_PROPERTY_VALUE",
    `The table property ${name} is ${JSON.stringify(text)}, but it must be ${expects}.`,
    { property: name, value: text },
  );
}

function unknownProperty(name: string): DeltaError {
  const nearest = nearestName(name, KNOWN_NAMES);
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new DeltaError(
    "DELTA_UNKNOWN_PROPERTY",
    `There is no table property ${name}.${hint} Names that don't start with "delta." are free.`,
    { property: name, nearest },
  );
}
