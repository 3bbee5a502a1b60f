import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import type { ObjectStore } from "../storage/store.js";
import { commitPath } from "./names.js";

/** Requests in flight: enough to hide an object store's latency; a local store answers at once anyway. */
const AHEAD = 64;

/**
 * The bytes of the commits `first` to `last`, in order, read ahead: of each its first `COMMIT_PART_BYTES`, the rest of long
 * ones when it's their turn. Throws `DELTA_FILE_NOT_FOUND`, and `DELTA_LOG_CORRUPT` beyond `MAX_COMMIT_BYTES`.
 */
export async function* readCommits(
  store: ObjectStore,
  first: number,
  last: number,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly version: number; readonly bytes: Uint8Array }> {
  const window: Promise<Uint8Array>[] = [];
  let next = first;
  try {
    for (let version = first; version <= last; version++) {
      while (next <= last && next - version < AHEAD) {
        const request = firstPart(store, next++, signal);
        // An early failure waits for its turn.
        request.catch(() => undefined);
        window.push(request);
      }
      const first = await window.shift()!;
      yield { version, bytes: isPart(first) ? await whole(store, version, first, signal) : first };
    }
  } finally {
    await Promise.allSettled(window);
  }
}

/** The bytes of one commit. Throws as {@link readCommits} does. */
export async function readCommit(store: ObjectStore, version: number, signal?: AbortSignal): Promise<Uint8Array> {
  const first = await firstPart(store, version, signal);
  return isPart(first) ? whole(store, version, first, signal) : first;
}

/** Whether there may be more. */
function isPart(first: Uint8Array): boolean {
  return first.length >= limits.COMMIT_PART_BYTES;
}

function firstPart(store: ObjectStore, version: number, signal?: AbortSignal): Promise<Uint8Array> {
  return store.get(commitPath(version), { start: 0, end: limits.COMMIT_PART_BYTES }, signal);
}

async function whole(
  store: ObjectStore,
  version: number,
  first: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const path = commitPath(version);
  const { MAX_COMMIT_BYTES } = limits;
  const sizeBytes = (await store.head(path, signal))?.sizeBytes ?? 0;
  if (sizeBytes > MAX_COMMIT_BYTES) {
    throw new DeltaError(
      "DELTA_LOG_CORRUPT",
      `${path} has ${sizeBytes} bytes, more than the ${MAX_COMMIT_BYTES} that a commit may have.`,
      { path, version, sizeBytes, limit: MAX_COMMIT_BYTES },
    );
  }
  return sizeBytes === first.length ? first : store.get(path, { start: 0, end: MAX_COMMIT_BYTES }, signal);
}
