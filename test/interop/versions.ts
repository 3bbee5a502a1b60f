import { isLong } from "../form.js";

/** The versions, in order, that are compared with what Spark reads of them, which takes it a second or two: every one, or the newest and each third before it. */
export function comparedVersions(newest: number, first = 0): number[] {
  const all = Array.from({ length: newest + 1 - first }, (_, i) => first + i);
  return isLong ? all : all.filter((version) => (newest - version) % 3 === 0);
}
