/** The folder of the log below a table's root. */
export const LOG_FOLDER = "_delta_log/";

/** Where sidecars of checkpoints lie (PROTOCOL.md, Sidecar Files). */
export const SIDECAR_FOLDER = `${LOG_FOLDER}_sidecars/`;

/** Points at a recent checkpoint (PROTOCOL.md, Last Checkpoint File). */
export const LAST_CHECKPOINT_PATH = `${LOG_FOLDER}_last_checkpoint`;

/** What a file name in the log says (PROTOCOL.md, File Types). */
export type LogFileName =
  | { readonly kind: "commit"; readonly version: number }
  | { readonly kind: "classicCheckpoint"; readonly version: number }
  | { readonly kind: "multiPartCheckpoint"; readonly version: number; readonly part: number; readonly parts: number }
  | { readonly kind: "uuidCheckpoint"; readonly version: number; readonly uuid: string; readonly format: string }
  | { readonly kind: "compacted"; readonly version: number; readonly endVersion: number }
  | { readonly kind: "checksum"; readonly version: number };

/** A file of actions as JSON lines, and the version that it leads to. */
export interface LogFile {
  readonly version: number;
  readonly path: string;
}

/** A version as log files carry it: 20 digits. */
function versionDigits(version: number): string {
  return String(version).padStart(20, "0");
}

/** `_delta_log/<version>.json` */
export function commitPath(version: number): string {
  return `${LOG_FOLDER}${versionDigits(version)}.json`;
}

/** `_delta_log/<version>.checkpoint.parquet` */
export function classicCheckpointPath(version: number): string {
  return `${LOG_FOLDER}${versionDigits(version)}.checkpoint.parquet`;
}

/** `_delta_log/<version>.checkpoint.<uuid>.parquet` */
export function uuidCheckpointPath(version: number, uuid: string): string {
  return `${LOG_FOLDER}${versionDigits(version)}.checkpoint.${uuid}.parquet`;
}

/**
 * `_delta_log/<version>.checkpoint.<part>.<parts>.parquet`; parts count from 1.
 * @testonly
 */
export function multiPartCheckpointPath(version: number, part: number, parts: number): string {
  const digits = (n: number) => String(n).padStart(10, "0");
  return `${LOG_FOLDER}${versionDigits(version)}.checkpoint.${digits(part)}.${digits(parts)}.parquet`;
}

/** `_delta_log/<version>.crc` */
export function checksumPath(version: number): string {
  return `${LOG_FOLDER}${versionDigits(version)}.crc`;
}

export function compactionPath(first: number, last: number): string {
  return `${LOG_FOLDER}${versionDigits(first)}.${versionDigits(last)}.compacted.json`;
}

/** A path that sorts just before every log file of `version`: where a listing from that version on starts. */
export function beforeVersion(version: number): string {
  return LOG_FOLDER + versionDigits(version);
}

const NAME =
  /^_delta_log\/(\d{20})\.(?:(json)|(crc)|checkpoint\.parquet|checkpoint\.(\d{10})\.(\d{10})\.parquet|checkpoint\.([^./]+)\.(json|parquet)|(\d{20})\.compacted\.json)$/;

const COMMIT_LENGTH = LOG_FOLDER.length + 25;

/** Parses a path below the table's root; undefined for everything that is no log file by its name. */
export function parseLogPath(path: string): LogFileName | undefined {
  // Most files of a long log are commits, and this is four times as fast.
  if (path.length === COMMIT_LENGTH && path.endsWith(".json") && path.startsWith(LOG_FOLDER)) {
    const version = Number(path.slice(LOG_FOLDER.length, -5));
    if (Number.isSafeInteger(version) && version >= 0 && commitPath(version) === path)
      return { kind: "commit", version };
  }
  const match = NAME.exec(path);
  if (match === null) return undefined;
  const [, digits, json, crc, part, parts, uuid, format, end] = match;
  const version = Number(digits);
  if (!Number.isSafeInteger(version)) return undefined;
  if (json !== undefined) return { kind: "commit", version };
  if (crc !== undefined) return { kind: "checksum", version };
  if (uuid !== undefined) return { kind: "uuidCheckpoint", version, uuid, format: format! };
  if (end !== undefined) {
    const endVersion = Number(end);
    return Number.isSafeInteger(endVersion) && endVersion > version
      ? { kind: "compacted", version, endVersion }
      : undefined;
  }
  if (part === undefined) return { kind: "classicCheckpoint", version };
  return { kind: "multiPartCheckpoint", version, part: Number(part), parts: Number(parts) };
}
