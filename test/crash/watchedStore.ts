import { LOG_FOLDER } from "#src/log/names.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "#src/storage/store.js";

/** A store that tells which objects were asked for; it lists nothing but the log. */
export class WatchedStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #look: (path: string) => unknown;

  constructor(inner: ObjectStore, look: (path: string) => unknown) {
    this.#inner = inner;
    this.#look = look;
  }

  get url(): string {
    return this.#inner.url;
  }

  get(path: string, range?: ByteRange): Promise<Uint8Array> {
    this.#look(path);
    return this.#inner.get(path, range);
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#inner.put(path, bytes);
  }

  putFrom(path: string, content: RangedContent): Promise<void> {
    return this.#inner.putFrom(path, content);
  }

  putNew(path: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.#inner.putNew(path, parts);
  }

  putIfAbsent(path: string, bytes: Uint8Array, signal?: AbortSignal, after?: Promise<unknown>): Promise<PutOutcome> {
    this.#look(path);
    return this.#inner.putIfAbsent(path, bytes, signal, after);
  }

  putHint(path: string, bytes: Uint8Array): Promise<void> {
    return this.#inner.putHint(path, bytes);
  }

  list(prefix: string, startAfter?: string): AsyncIterable<ObjectMeta> {
    checkIsLog(prefix);
    return this.#inner.list(prefix, startAfter);
  }

  listNames(prefix: string, startAfter?: string): Promise<string[]> {
    checkIsLog(prefix);
    return this.#inner.listNames(prefix, startAfter);
  }

  head(path: string): Promise<ObjectMeta | undefined> {
    this.#look(path);
    return this.#inner.head(path);
  }

  delete(path: string): Promise<void> {
    return this.#inner.delete(path);
  }

  settle(prefix: string): Promise<void> {
    return this.#inner.settle(prefix);
  }

  sweep(prefix: string, beforeMs: number): Promise<void> {
    return this.#inner.sweep(prefix, beforeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function checkIsLog(prefix: string): void {
  if (prefix !== LOG_FOLDER) throw new Error(`Who lists ${prefix} looks at more than is watched.`);
}
