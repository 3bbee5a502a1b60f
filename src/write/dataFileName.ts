import type { Compression } from "../parquet/write.js";
import { runtime } from "../runtime.js";

/** A data file's name, which nobody can guess; `index` is its place among the files of a change. */
export function dataFileName(index: number, compression: Compression): string {
  const extension = compression === "uncompressed" ? "" : `.${compression}`;
  return `part-${String(index).padStart(5, "0")}-${runtime.randomUUID()}.c000${extension}.parquet`;
}
