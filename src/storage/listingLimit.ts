import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";

/** Throws `DELTA_LIMIT_EXCEEDED` where a folder has more names than are held in memory. `folder` is its path or URL. */
export function checkNameCount(count: number, folder: string): void {
  const { MAX_LISTED_NAMES } = limits;
  if (count <= MAX_LISTED_NAMES) return;
  throw new DeltaError(
    "DELTA_LIMIT_EXCEEDED",
    `${folder} holds more than ${MAX_LISTED_NAMES} names. Remove what doesn't belong there.`,
    { path: folder, limit: "MAX_LISTED_NAMES" },
  );
}
