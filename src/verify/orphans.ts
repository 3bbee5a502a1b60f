import { LOG_FOLDER } from "../log/names.js";
import type { ObjectStore } from "../storage/store.js";
import type { Findings } from "./findings.js";
import type { References } from "./references.js";

/** Files that no action in the log names. */
export interface Orphans {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Lists the table's folder: notes the size of each file that the log names, and reports the others where `reportsOrphans`.
 * Hidden files and folders (`_…`, `.…`) aren't the table's, but for change data and partition folders.
 */
export async function listFiles(
  store: ObjectStore,
  references: References,
  options: {
    readonly partitionColumns: readonly string[];
    readonly reportsOrphans: boolean;
    readonly findings: Findings;
    readonly onFile: (done: number) => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Orphans> {
  const { partitionColumns, reportsOrphans, findings, onFile, signal } = options;
  let [done, files, bytes] = [0, 0, 0];
  for await (const { path, sizeBytes, modifiedMs } of store.list("", undefined, signal)) {
    onFile(++done);
    if (path.startsWith(LOG_FOLDER) || references.list(path, sizeBytes)) continue;
    if (!reportsOrphans || isHidden(path, partitionColumns)) continue;
    files++;
    bytes += sizeBytes;
    findings.add("orphan-file", `Nothing in the log names ${path}.`, { path }, { sizeBytes, modifiedMs });
  }
  return { files, bytes };
}

/** Whether a path isn't the table's to look after: hidden files and folders aren't, but for change data and partition folders. */
export function isHidden(path: string, partitionColumns: readonly string[]): boolean {
  for (let start = 0; ; ) {
    const isMarked = path[start] === "_" || path[start] === ".";
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    if (isMarked && !isShown(path.slice(start, end), partitionColumns)) return true;
    if (slash < 0) return false;
    start = slash + 1;
  }
}

function isShown(part: string, partitionColumns: readonly string[]): boolean {
  return part === "_change_data" || partitionColumns.some((column) => part.startsWith(`${column}=`));
}
