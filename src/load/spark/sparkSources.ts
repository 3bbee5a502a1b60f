import path from "node:path";
import { DeltaError } from "../../errors.js";
import { decodeUrl, pathOfFileUrl } from "../../storage/open.js";
import { Glob, type GlobJson, hasWildcards } from "../source/glob.js";

/** A place that a person named, as the job for Spark looks for it. */
export interface SparkSource {
  /** An absolute path, or a URL on S3. */
  readonly url: string;
  /** What it means where there is no file or folder of that very name; null for a name that can't be a pattern. */
  readonly glob: GlobJson | null;
}

const S3_URL = /^s3a?:\/\/([^/]+)(?:\/(.*))?$/is;

/** Throws DELTA_INVALID_ARGUMENT for what the machines of a cluster can't all read. */
export function sparkSource(operand: string): SparkSource {
  const s3 = S3_URL.exec(operand);
  if (s3 !== null) return { url: `s3://${s3[1]}/${s3[2] ?? ""}`, glob: globOf(s3[2] ?? "") };
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(operand);
  if (operand === "-" || (isUrl && !/^file:/i.test(operand))) {
    const why = operand === "-" ? "it comes once, to one machine" : "it is neither a path nor on S3";
    const message = `A load on Spark can't read ${operand}: ${why}. Load it with delta-table itself.`;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", message, { operand });
  }
  const full = path.resolve(isUrl ? pathOfFileUrl(decodeUrl(operand)) : operand);
  return { url: full, glob: globOf(full.slice(1)) };
}

function globOf(name: string): GlobJson | null {
  return hasWildcards(name) ? new Glob(name.replace(/\/+$/, "")).toJSON() : null;
}
