import { createHash } from "node:crypto";
import type { ObjectMeta } from "../../storage/store.js";
import { openRanges } from "./ranges.js";
import type { SourceFile, SourceIdentity } from "./source.js";

/** Bytes of each end of a prefix that its hashes are of. */
const HASHED_BYTES = 64 * 1024;

/** What tells a stored file's content from another's, as a listing or a look at it has it. */
export function identityOf({ sizeBytes, modifiedMs, etag }: ObjectMeta): SourceIdentity {
  return { sizeBytes, modifiedMs, ...(etag === undefined ? {} : { etag }) };
}

/** SHA-256, hexadecimal, of the first and the last 64 KiB of a prefix. */
export interface PrefixHash {
  readonly head: string;
  readonly tail: string;
}

/**
 * Hashes the ends of a stored file's first `storedEnd` bytes, of an archive for a file in one. Undefined where the file is shorter.
 * Of a stream both are the hash of its head: the end of its prefix has not come yet.
 */
export async function prefixHash(
  file: SourceFile,
  storedEnd: number,
  signal?: AbortSignal,
): Promise<PrefixHash | undefined> {
  const headEnd = Math.min(storedEnd, HASHED_BYTES);
  if (file.stream !== undefined) {
    const head = await file.stream.beginning(headEnd, signal);
    return head && { head: sha256(head), tail: sha256(head) };
  }
  if (file.identity.sizeBytes < storedEnd) return undefined;
  await using ranges = openRanges(file);
  const [head, tail] = await Promise.all([
    ranges.read(0, headEnd, signal),
    ranges.read(Math.max(storedEnd - HASHED_BYTES, 0), storedEnd, signal),
  ]);
  return { head: sha256(head), tail: sha256(tail) };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** True where nothing shows that the content is another one. An object's etag decides alone: copies have times of their own. */
export function isSameIdentity(a: SourceIdentity, b: SourceIdentity): boolean {
  if (a.sizeBytes !== b.sizeBytes) return false;
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  return a.modifiedMs === b.modifiedMs;
}
