import fs from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { checkSignal } from "../signal.js";
import { localError, systemCode } from "./localErrors.js";

/** Implements `removeEmptyFolders` of a local store: links are never followed, and the root stays. */
export async function removeEmptyFolders(
  root: string,
  beforeMs: number,
  enters: (folder: string) => boolean,
  signal: AbortSignal | undefined,
): Promise<number> {
  return (await below("")).removed;

  async function below(prefix: string): Promise<{ readonly removed: number; readonly isEmpty: boolean }> {
    checkSignal(signal, `looking for empty folders in ${root}`);
    await setImmediate();
    const folder = path.join(root, prefix);
    let removed = 0;
    let isEmpty = true;
    // Its entries change as what is in it goes.
    const unchangedSince = fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    for (const entry of entriesOf(folder)) {
      const at = `${prefix}${entry.name}/`;
      const inside = entry.isDirectory() && enters(at) ? await below(at) : undefined;
      removed += inside?.removed ?? 0;
      isEmpty &&= inside?.isEmpty ?? false;
    }
    if (prefix === "" || !isEmpty || unchangedSince >= beforeMs || !removeFolder(folder)) {
      return { removed, isEmpty: false };
    }
    return { removed: removed + 1, isEmpty: true };
  }
}

function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw localError(error, "list", folder);
  }
}

/** False where somebody has put a file there meanwhile. */
function removeFolder(folder: string): boolean {
  try {
    fs.rmdirSync(folder);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes(systemCode(error))) return false;
    throw localError(error, "delete", folder);
  }
}
