import { DeltaError } from "../errors.js";
import type { ByteRange } from "./store.js";

const BAD_SEGMENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Refuses a path that no store takes: absolute, empty, with an empty, `.` or `..` part, or with a NUL.
 * Throws `DELTA_INVALID_ARGUMENT`.
 */
export function checkPath(path: string): void {
  if (BAD_SEGMENT.test(path) || path.includes("\0")) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `${JSON.stringify(path)} is not a path in a store. Give it relative to the root, its parts joined by single slashes, without "." and "..".`,
      { path },
    );
  }
}

/** Refuses a folder that is neither `""` nor a path with a slash at its end. Throws `DELTA_INVALID_ARGUMENT`. */
export function checkPrefix(prefix: string): void {
  if (prefix === "") return;
  if (!prefix.endsWith("/")) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `The folder ${JSON.stringify(prefix)} must end in a slash, or be "" for the root.`,
      { prefix },
    );
  }
  checkPath(prefix.slice(0, -1));
}

/** Refuses a range that isn't `0 <= start <= end` in whole numbers. Throws `DELTA_INVALID_ARGUMENT`. */
export function checkRange(range: ByteRange): void {
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `${start}..${end} is not a range of bytes: 0 <= start <= end.`, {
      start,
      end,
    });
  }
}
