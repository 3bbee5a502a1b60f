import { DeltaError } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import type { Action, Sidecar } from "./actions.js";
import { forEachCheckpointAction } from "./commitFile.js";
import type { LogFile } from "./names.js";
import { readLogFile } from "./readCommits.js";
import type { CheckpointFiles } from "./segment.js";
import { Tail } from "./tail.js";

/** What a checkpoint in JSON says (PROTOCOL.md, V2 Spec). */
export interface JsonCheckpoint {
  /** The actions that aren't of files. */
  readonly state: readonly Action[];
  readonly sidecars: readonly Sidecar[];
  /** The file actions that it holds itself. */
  readonly files: Tail;
}

/** Whether a checkpoint's file is lines of JSON. */
export function isJson(path: string): boolean {
  return path.endsWith(".json");
}

/** What was read of checkpoints in use: their files are asked for later than their state. */
const known = new WeakMap<CheckpointFiles, JsonCheckpoint>();

/**
 * The content of a checkpoint in JSON; undefined for one in Parquet. Throws `DELTA_LOG_CORRUPT` naming file and line, also
 * where it lacks what every checkpoint has: lines have no end that tells whether all are there.
 */
export async function readJsonCheckpoint(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): Promise<JsonCheckpoint | undefined> {
  const [path] = checkpoint.paths;
  if (path === undefined || !isJson(path)) return undefined;
  const content = known.get(checkpoint) ?? (await readJson(store, { version: checkpoint.version, path }, signal));
  known.set(checkpoint, content);
  return content;
}

async function readJson(store: ObjectStore, file: LogFile, signal?: AbortSignal): Promise<JsonCheckpoint> {
  const bytes = await readLogFile(store, file, signal);
  const { version } = file;
  const state: Action[] = [];
  const sidecars: Sidecar[] = [];
  const files = new Tail(version - 1);
  const found = new Set<string>();
  forEachCheckpointAction(file, bytes, (action) => {
    for (const key of REQUIRED) if (key in action) found.add(key);
    if ("sidecar" in action) sidecars.push(action.sidecar);
    else if ("checkpointMetadata" in action) {
      if (action.checkpointMetadata.version !== version) throw flawed(file, "says that it is of another version");
    } else if ("add" in action || "remove" in action) files.take(version, action);
    else state.push(action);
  });
  files.version = version;
  const missing = REQUIRED.find((key) => !found.has(key));
  if (missing !== undefined) throw flawed(file, `lacks its ${missing}`);
  return { state, sidecars, files };
}

const REQUIRED = ["checkpointMetadata", "protocol", "metaData"] as const;

function flawed({ version, path }: LogFile, flaw: string): DeltaError {
  return new DeltaError("DELTA_LOG_CORRUPT", `The checkpoint ${path} ${flaw}.`, { path, version });
}
