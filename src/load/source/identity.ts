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

/** What was known of a file when a part of it, or all of it, was read. */
export interface ReadPrefix {
  readonly identity: SourceIdentity;
  readonly hash: PrefixHash;
}

/** What became of a file since a prefix of it was read; `appended`: the prefix is still there, so that reading can go on. */
export type SourceChange = "same" | "appended" | "changed";

/** Decides what became of a file; `hashNow` is that of the same prefix, undefined where the file is shorter. */
export function sourceChange(before: ReadPrefix, now: SourceIdentity, hashNow: PrefixHash | undefined): SourceChange {
  if (isSameIdentity(before.identity, now)) return "same";
  return hashNow?.head === before.hash.head && hashNow.tail === before.hash.tail ? "appended" : "changed";
}

/** Finds out what became of a file since its first `storedEnd` bytes were read. Reads nothing where its identity is the same. */
export async function changeSince(
  file: SourceFile,
  before: ReadPrefix,
  storedEnd: number,
  signal?: AbortSignal,
): Promise<SourceChange> {
  const isStream = file.stream !== undefined;
  if (!isStream && isSameIdentity(before.identity, file.identity)) return "same";
  const hash = await prefixHash(file, storedEnd, signal);
  // Streams all have one identity, and the end of what was read comes later.
  if (isStream) return hash?.head === before.hash.head ? "same" : "changed";
  return sourceChange(before, file.identity, hash);
}

/** True where nothing shows that the content is another one. An object's etag decides alone: copies have times of their own. */
export function isSameIdentity(a: SourceIdentity, b: SourceIdentity): boolean {
  if (a.sizeBytes !== b.sizeBytes) return false;
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  return a.modifiedMs === b.modifiedMs;
}
