import type { ObjectStore } from "../storage/store.js";
import { commitPath } from "./names.js";

/** Requests in flight: enough to hide an object store's latency; a local store answers at once anyway. */
const AHEAD = 64;

/** The bytes of the commits `first` to `last`, in order, read ahead. Throws `DELTA_FILE_NOT_FOUND`. */
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
        const request = store.get(commitPath(next++), undefined, signal);
        // An early failure waits for its turn.
        request.catch(() => undefined);
        window.push(request);
      }
      yield { version, bytes: await window.shift()! };
    }
  } finally {
    await Promise.allSettled(window);
  }
}
