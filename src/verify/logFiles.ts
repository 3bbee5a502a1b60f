import type { Compaction } from "../log/compactions.js";
import { LAST_CHECKPOINT_PATH, LOG_FOLDER, parseLogPath } from "../log/names.js";
import type { CheckpointFiles } from "../log/segment.js";
import type { ObjectStore } from "../storage/store.js";
import type { Findings } from "./findings.js";

/** A complete checkpoint as the log's listing has it. */
export interface ListedCheckpoint extends CheckpointFiles {
  /** All parts, in bytes, without sidecars. */
  readonly sizeBytes: number;
  /** When its newest part was written, in milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** What is in the log's folder, by version. */
export interface LogFiles {
  /** Ascending. */
  readonly commits: readonly number[];
  /** Complete ones, in ascending order; there may be several of a version. */
  readonly checkpoints: readonly ListedCheckpoint[];
  readonly checksums: ReadonlySet<number>;
  readonly compactions: readonly Compaction[];
  readonly hasLastCheckpoint: boolean;
}

interface Parts {
  readonly version: number;
  readonly parts: number;
  readonly paths: string[];
  sizeBytes: number;
  modifiedMs: number;
}

/** Lists the log, and reports what lies there that no reader would look at. */
export async function listLogFiles(store: ObjectStore, findings: Findings, signal?: AbortSignal): Promise<LogFiles> {
  const commits: number[] = [];
  const checksums = new Set<number>();
  const compactions: Compaction[] = [];
  const groups = new Map<string, Parts>();
  let hasLastCheckpoint = false;
  for await (const { path, sizeBytes, modifiedMs } of store.list(LOG_FOLDER, undefined, signal)) {
    const name = parseLogPath(path);
    if (name === undefined) {
      if (path === LAST_CHECKPOINT_PATH) hasLastCheckpoint = true;
      else noteStranger(path, sizeBytes, findings);
      continue;
    }
    const { version } = name;
    if (name.kind === "commit") commits.push(version);
    else if (name.kind === "checksum") checksums.add(version);
    else if (name.kind === "compacted") compactions.push({ version, endVersion: name.endVersion, path });
    else {
      const parts = name.kind === "multiPartCheckpoint" ? name.parts : 1;
      const key = name.kind === "multiPartCheckpoint" ? `${version}.${parts}` : path;
      const group = groups.get(key) ?? { version, parts, paths: [], sizeBytes: 0, modifiedMs: 0 };
      groups.set(key, group);
      group.paths.push(path);
      group.sizeBytes += sizeBytes;
      group.modifiedMs = Math.max(group.modifiedMs, modifiedMs);
    }
  }
  const checkpoints = [...groups.values()].filter((group) => isComplete(group, findings));
  checkpoints.sort((a, b) => a.version - b.version);
  return { commits, checkpoints, checksums, compactions, hasLastCheckpoint };
}

function isComplete({ version, parts, paths }: Parts, findings: Findings): boolean {
  if (paths.length === parts) return true;
  const message = `The checkpoint of version ${version} has ${paths.length} of its ${parts} parts.`;
  findings.add("checkpoint-incomplete", message, { version, path: paths[0]! }, { found: paths.length, parts });
  return false;
}

/** What the protocol, this package or Spark's vacuum gives a meaning in the log, and Hadoop's side files of local file systems. */
const KNOWN =
  /^_delta_log\/(?:_last_vacuum_info$|_sidecars\/|_staged_commits\/|_commits\/|_loads\/|(?:.*\/)?\.[^/]*\.crc$)/;
const TEMPORARY = /(?:\.tmp|\.temp|~)$|^_delta_log\/(?:.*\/)?\.tmp/;
const LIKE_A_VERSION = /^_delta_log\/\d+\.(?:json|crc|checkpoint\..*|compacted\.json)$/;

function noteStranger(path: string, sizeBytes: number, findings: Findings): void {
  if (KNOWN.test(path)) return;
  if (TEMPORARY.test(path)) {
    findings.add("log-temporary-file", `${path} was left behind by a write.`, { path }, { sizeBytes });
  } else if (LIKE_A_VERSION.test(path)) {
    const message = `${path} is named like a file of the log, but a version has 20 digits and a part 10.`;
    findings.add("log-name", message, { path }, { sizeBytes });
  } else findings.add("log-foreign-file", `${path} is no file of the protocol.`, { path }, { sizeBytes });
}
