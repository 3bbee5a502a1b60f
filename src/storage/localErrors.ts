import { DeltaError } from "../errors.js";

/** The code of a system error (`ENOENT` …), or "" for anything else. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? "";
}

/** True where the path, or a folder on the way to it, isn't there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/**
 * What a failed call of the file system means to the caller. `doing` is a verb ("read", "write" …), `file` the full path;
 * `facts` go into the error's data.
 */
export function localError(error: unknown, doing: string, file: string, facts: object = {}): DeltaError {
  if (error instanceof DeltaError) return error;
  const system = systemCode(error);
  const data = { path: file, system, ...facts };
  switch (system) {
    case "ENOENT":
    case "ENOTDIR":
      if (doing !== "read") break;
      return new DeltaError("DELTA_FILE_NOT_FOUND", `There is no file ${file}.`, data, error);
    case "ENOSPC":
    case "EDQUOT":
      return new DeltaError(
        "DELTA_DISK_FULL",
        `Cannot ${doing} ${file}: ${system === "EDQUOT" ? "the quota is used up" : "the disk is full"}. Nothing of it was kept; free some space and call again.`,
        data,
        error,
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new DeltaError(
        "DELTA_ACCESS_DENIED",
        `Cannot ${doing} ${file}: ${system === "EROFS" ? "the file system is read-only" : "this process has no permission"}. Check the owner and mode of the file and its folder.`,
        data,
        error,
      );
    case "EMFILE":
    case "ENFILE":
    case "EBUSY":
    case "EAGAIN":
      return new DeltaError(
        "DELTA_STORAGE_UNAVAILABLE",
        `Cannot ${doing} ${file} now (${system}). Call again with fewer files open.`,
        data,
        error,
      );
  }
  return new DeltaError("DELTA_STORAGE_FAILED", `Cannot ${doing} ${file}: ${adviceOn(system)}.`, data, error);
}

function adviceOn(system: string): string {
  switch (system) {
    case "ENAMETOOLONG":
      return "a part of this path is longer than the file system takes, mostly 255 bytes (ENAMETOOLONG). Partition values become names of folders; partition by shorter ones";
    case "ENOTDIR":
      return "a part of this path is a file, not a folder (ENOTDIR). Check the path";
    case "ELOOP":
      return "its symbolic links lead in circles (ELOOP). Check the path";
    default:
      return `${system || "the file system failed"}. Check that the path is right and its disk is sound`;
  }
}

/** A folder that was in use has been removed, renamed or unmounted. */
export function folderGone(folder: string): DeltaError {
  return new DeltaError(
    "DELTA_STORAGE_FAILED",
    `The folder ${folder} was there and is gone: removed, renamed, or on a disk that was unmounted. Bring it back, or open the table again.`,
    { path: folder, system: "ENOENT", written: false },
  );
}

/** The file system has no hard links, so no commit can be claimed on it. */
export function hardLinksUnsupported(error: unknown, file: string): DeltaError {
  return new DeltaError(
    "DELTA_HARD_LINKS_UNSUPPORTED",
    `Cannot claim ${file}: its file system has no hard links, and without them two writers could overwrite each other's commit. Put the table on a disk that has them (ext4, xfs, APFS, NTFS …) or on S3.`,
    { path: file, system: systemCode(error) },
    error,
  );
}
