import fs from "node:fs";
import path from "node:path";
import { DeltaError } from "../errors.js";
import { hardLinksUnsupported, systemCode } from "./localErrors.js";
import { closeQuietly, fsync, isUnsyncable, unlinkQuietly } from "./localFiles.js";
import type { PutOutcome } from "./store.js";

/** What `link` fails with where there are no hard links; EMLINK for a file that has one name only. */
const NO_HARD_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK", "EXDEV"];

/** Whether something has the name. Throws `DELTA_STORAGE_FAILED` for a folder: no commit will ever come of it. */
export function isTaken(file: string): boolean {
  const found = entryAt(file);
  if (!found?.isDirectory()) return found !== undefined;
  throw new DeltaError("DELTA_STORAGE_FAILED", `Cannot write ${file}: a folder has this name. Remove or rename it.`, {
    path: file,
    system: "EISDIR",
  });
}

/**
 * Gives the staged file `temp` the name `file`, unless that is taken, and flushes the folder where it shall be `durable`.
 * `temp` is gone afterwards, whatever happened.
 *
 * Throws `DELTA_HARD_LINKS_UNSUPPORTED`, a system error after which the name surely isn't ours, or
 * `DELTA_COMMIT_OUTCOME_UNKNOWN` where everybody sees the file but a power cut might take it away.
 */
export async function claimName(temp: string, file: string, durable: boolean): Promise<PutOutcome> {
  let folder: number | undefined;
  let outcome: PutOutcome;
  try {
    // Before the claim: after it, lacking a descriptor must not leave its fate open.
    if (durable) folder = openFolder(path.dirname(file));
    outcome = link(temp, file);
  } catch (error) {
    if (folder !== undefined) closeQuietly(folder);
    throw error;
  } finally {
    unlinkQuietly(temp);
  }
  if (folder === undefined) return outcome;
  try {
    if (outcome === "created") await fsync(folder);
  } catch (error) {
    if (!isUnsyncable(error)) throw notDurable(error, file);
  } finally {
    closeQuietly(folder);
  }
  return outcome;
}

function link(temp: string, file: string): PutOutcome {
  try {
    fs.linkSync(temp, file);
    return "created";
  } catch (error) {
    const system = systemCode(error);
    if (system === "EEXIST") return "exists";
    // A disk may fail, or a network repeat the request, after the file has got its name.
    const mine = isSameFile(temp, file);
    if (mine) return "created";
    // A file server may still carry out what it didn't answer in time.
    if (mine === undefined || system === "ETIMEDOUT") return "unknown";
    throw NO_HARD_LINKS.includes(system) ? hardLinksUnsupported(error, file) : error;
  }
}

/** Undefined where the file system doesn't tell. */
function isSameFile(temp: string, file: string): boolean | undefined {
  try {
    const named = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
    if (named === undefined) return false;
    const staged = fs.statSync(temp, { bigint: true });
    return named.ino === staged.ino && named.dev === staged.dev;
  } catch {
    return undefined;
  }
}

function entryAt(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function notDurable(error: unknown, file: string): DeltaError {
  return new DeltaError(
    "DELTA_COMMIT_OUTCOME_UNKNOWN",
    `${file} was written and everybody sees it, but the disk failed to flush its folder (${systemCode(error)}): a power cut may take it away. Check the disk; then look whether the file is there.`,
    { path: file, system: systemCode(error) },
    error,
  );
}

/** A folder's descriptor, where the platform flushes folders. */
function openFolder(folder: string): number | undefined {
  return process.platform === "win32" ? undefined : fs.openSync(folder, "r");
}
