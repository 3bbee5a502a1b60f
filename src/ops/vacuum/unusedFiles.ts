import { LOG_FOLDER } from "../../log/names.js";
import type { Snapshot } from "../../log/snapshot.js";
import { isHidden } from "../../verify/orphans.js";
import type { KeptFiles } from "./keptFiles.js";
import { PathList } from "./pathList.js";

/** What a vacuum may delete. */
export interface Unused {
  readonly files: PathList;
  readonly sizeBytes: number;
  /** Folders looked through, the table's own among them. */
  readonly folderCount: number;
}

/** Which folders of a table may hold files that a vacuum looks at. */
export function entersOf({ metadata }: Snapshot): (folder: string) => boolean {
  return (folder) => folder !== LOG_FOLDER && !isHidden(folder.slice(0, -1), metadata.partitionColumns);
}

/** The files in the table's folder that are older than `cutoffMs` and that nothing needs. */
export async function unusedFiles(
  snapshot: Snapshot,
  kept: KeptFiles,
  options: { readonly cutoffMs: number; readonly onFile: () => void; readonly signal?: AbortSignal | undefined },
): Promise<Unused> {
  const { store, metadata } = snapshot;
  const { cutoffMs, onFile, signal } = options;
  const files = new PathList();
  const enters = entersOf(snapshot);
  let sizeBytes = 0;
  let folderCount = 1;
  let folder = "";
  for await (const file of store.list("", undefined, signal, enters)) {
    const { path, modifiedMs } = file;
    const own = path.slice(0, path.lastIndexOf("/") + 1);
    if (own !== folder) folderCount++;
    folder = own;
    if (path.startsWith(LOG_FOLDER) || isHidden(path, metadata.partitionColumns)) continue;
    onFile();
    if (modifiedMs >= cutoffMs || kept.has(path)) continue;
    files.add(path);
    sizeBytes += file.sizeBytes;
  }
  return { files, sizeBytes, folderCount };
}
