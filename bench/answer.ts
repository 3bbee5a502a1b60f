import { createHash } from "node:crypto";

/** A list of paths, whatever its order, in a few bytes: how many, and a hash of them sorted. */
export function pathsAnswer(paths: string[]): { files: number; sha256: string } {
  const sorted = paths.map((path) => Buffer.from(path)).sort(Buffer.compare);
  const hash = createHash("sha256");
  for (const path of sorted) hash.update(path).update("\n");
  return { files: paths.length, sha256: hash.digest("hex") };
}
