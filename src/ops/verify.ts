import { DeltaError } from "../errors.js";
import type { ReadAccess } from "../log/features.js";
import type { Snapshot } from "../log/snapshot.js";
import { addReader } from "../read/fileActions.js";
import { readAhead } from "../read/readAhead.js";
import type { ObjectStore } from "../storage/store.js";
import { type CheckedFile, DataFileCheck } from "../verify/dataFileCheck.js";
import type { FindingCode } from "../verify/findingCodes.js";
import { type Finding, Findings } from "../verify/findings.js";
import { reportGaps } from "../verify/gaps.js";
import { checkLastCheckpoint } from "../verify/lastCheckpointCheck.js";
import { type LogFiles, listLogFiles } from "../verify/logFiles.js";
import { openVersion } from "../verify/openVersion.js";
import { listFiles, type Orphans } from "../verify/orphans.js";
import { References } from "../verify/references.js";
import { Replay } from "../verify/replay.js";
import { checkShape, tableShape } from "../verify/tableShape.js";

export interface VerifyOptions {
  /**
   * How far to look: `log` reads the log only; `files` also lists the table's files and reads each live file's footer and
   * deletion vector; `data`, the default, reads every value too.
   */
  readonly depth?: "log" | "files" | "data";
  readonly signal?: AbortSignal;
  /** Told how far it has come: commits read, files listed, live files checked. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly step: "commits" | "listed" | "files";
  /** Of this step. */
  readonly done: number;
}

/** What `verify` found. It can be turned into JSON, but for bigints among the facts of findings. */
export interface VerifyReport {
  readonly location: string;
  /** The version whose files were checked; its log was checked up to there. */
  readonly version: number;
  /** True where there is no finding of severity `error`. */
  readonly ok: boolean;
  /** The first findings of each code, errors first. */
  readonly findings: readonly Finding[];
  /** How many findings there are of each code, those not listed among them. */
  readonly counts: Partial<Readonly<Record<FindingCode, number>>>;
  readonly checked: {
    readonly commits: number;
    readonly checkpoints: number;
    /** Log compactions. */
    readonly compactions: number;
    /** Version checksums. */
    readonly checksums: number;
    /** Live data files. */
    readonly files: number;
    /** Of the live data files. */
    readonly bytes: number;
    readonly rows: number;
  };
  /** Files that nothing in the log names; not looked for at depth `log`, or where the version isn't the newest. */
  readonly orphans: Orphans;
}

/** Files checked at once: footers are waited for, data keeps the processor busy. */
const AHEAD = { files: 16, data: 2 } as const;

/**
 * Implements `Table.verify`; see there. Memory is some 100 to 200 bytes for each file that the log names (hashes and
 * sizes of the replayed state, of the listing and of the files seen), beside the commits after the newest checkpoint.
 */
export async function verify(
  store: ObjectStore,
  wanted: number | undefined,
  options: VerifyOptions = {},
  access: ReadAccess = {},
): Promise<VerifyReport> {
  const { depth = "data", signal, onProgress } = options;
  checkDepth(depth);
  const findings = new Findings();
  const references = new References(store);
  const log = await listLogFiles(store, findings, signal);
  const newest = newestVersion(log);
  const version = versionOf(store, newest, wanted);
  const replay = new Replay(store, log, references, findings, signal);
  const { commits, checksums, checkpoints, compactions, damaged } = await replay.run(version, (done) =>
    onProgress?.({ step: "commits", done }),
  );
  reportGaps(log, version, damaged, findings);
  if (version === newest) await checkLastCheckpoint(store, log, checkpoints, findings, signal);
  const snapshot = await openVersion(store, version, damaged, findings, signal);
  let [files, bytes, rows] = [0, 0, 0];
  let orphans: Orphans = { files: 0, bytes: 0 };
  if (snapshot !== undefined) {
    const { protocol, metadata } = snapshot;
    checkShape(protocol, metadata, version, findings, access);
    if (depth !== "log") {
      orphans = await listFiles(store, references, {
        partitionColumns: metadata.partitionColumns,
        reportsOrphans: version === newest,
        findings,
        onFile: (done) => onProgress?.({ step: "listed", done }),
        signal,
      });
      for await (const file of checkedFiles(snapshot, references, depth === "data", findings, signal)) {
        files++;
        bytes += file.sizeBytes;
        rows += file.rowCount;
        onProgress?.({ step: "files", done: files });
      }
    }
  }
  return {
    location: store.url,
    version,
    ok: !findings.hasErrors,
    findings: findings.all(),
    counts: findings.counts(),
    checked: { commits, checkpoints: checkpoints.length, compactions, checksums, files, bytes, rows },
    orphans,
  };
}

async function* checkedFiles(
  snapshot: Snapshot,
  references: References,
  readsData: boolean,
  findings: Findings,
  signal: AbortSignal | undefined,
): AsyncGenerator<CheckedFile> {
  const { store, version, metadata } = snapshot;
  // A broken schema has been reported with the commit that set it.
  const shape = tableShape(metadata, version, new Findings());
  const check = new DataFileCheck({ store, version, shape, references, findings, readsData, signal });
  async function* adds() {
    for await (const batch of snapshot.fileBatches({ signal })) {
      const addAt = addReader(batch);
      for (let row = 0; row < batch.numRows; row++) yield addAt(row);
    }
  }
  async function* checked(add: ReturnType<ReturnType<typeof addReader>>) {
    yield await check.check(add);
  }
  yield* readAhead(adds(), checked, readsData ? AHEAD.data : AHEAD.files);
}

function newestVersion(log: LogFiles): number {
  return Math.max(log.commits.at(-1) ?? -1, log.checkpoints.at(-1)?.version ?? -1);
}

function versionOf(store: ObjectStore, newest: number, wanted: number | undefined): number {
  if (newest < 0) {
    const message = `${store.url} is not a Delta table: its log has no commits. Give the table's own folder.`;
    throw new DeltaError("DELTA_TABLE_NOT_FOUND", message, { path: store.url });
  }
  if (wanted === undefined || wanted <= newest) return wanted ?? newest;
  throw new DeltaError("DELTA_VERSION_NOT_FOUND", `${store.url} has no version ${wanted}: ${newest} is the newest.`, {
    version: wanted,
    latest: newest,
  });
}

function checkDepth(depth: string): void {
  if (["log", "files", "data"].includes(depth)) return;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `depth is "log", "files" or "data", not "${depth}".`, { depth });
}
