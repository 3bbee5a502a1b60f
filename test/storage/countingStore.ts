import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "#src/storage/store.js";

export type StoreVerb =
  | "get"
  | "put"
  | "putNew"
  | "putIfAbsent"
  | "putHint"
  | "list"
  | "listNames"
  | "head"
  | "delete"
  | "settle"
  | "sweep";

export interface StoreCall {
  readonly verb: StoreVerb;
  readonly path: string;
}

/** A store that notes each call before it passes it on. A `list` counts once it is iterated. */
export class CountingStore implements ObjectStore {
  readonly inner: ObjectStore;
  calls: StoreCall[] = [];

  constructor(inner: ObjectStore) {
    this.inner = inner;
  }

  get url(): string {
    return this.inner.url;
  }

  /** The number of calls of one verb, or of all. */
  count(verb?: StoreVerb): number {
    return verb ? this.calls.filter((call) => call.verb === verb).length : this.calls.length;
  }

  /** The calls so far as "verb path", and none from now on. */
  take(): string[] {
    const calls = this.calls.map(({ verb, path }) => `${verb} ${path}`);
    this.calls = [];
    return calls;
  }

  get(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    this.calls.push({ verb: "get", path });
    return this.inner.get(path, range, signal);
  }

  put(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.calls.push({ verb: "put", path });
    return this.inner.put(path, bytes, signal);
  }

  putFrom(path: string, content: RangedContent, signal?: AbortSignal): Promise<void> {
    this.calls.push({ verb: "put", path });
    return this.inner.putFrom(path, content, signal);
  }

  putNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    this.calls.push({ verb: "putNew", path });
    return this.inner.putNew(path, parts, signal);
  }

  putIfAbsent(path: string, bytes: Uint8Array, signal?: AbortSignal, after?: Promise<unknown>): Promise<PutOutcome> {
    this.calls.push({ verb: "putIfAbsent", path });
    return this.inner.putIfAbsent(path, bytes, signal, after);
  }

  putHint(path: string, bytes: Uint8Array): Promise<void> {
    this.calls.push({ verb: "putHint", path });
    return this.inner.putHint(path, bytes);
  }

  async *list(
    prefix: string,
    startAfter?: string,
    signal?: AbortSignal,
    enters?: (folder: string) => boolean,
  ): AsyncGenerator<ObjectMeta> {
    this.calls.push({ verb: "list", path: prefix });
    yield* this.inner.list(prefix, startAfter, signal, enters);
  }

  listNames(prefix: string, startAfter?: string, signal?: AbortSignal): Promise<string[]> {
    this.calls.push({ verb: "listNames", path: prefix });
    return this.inner.listNames(prefix, startAfter, signal);
  }

  head(path: string, signal?: AbortSignal): Promise<ObjectMeta | undefined> {
    this.calls.push({ verb: "head", path });
    return this.inner.head(path, signal);
  }

  delete(path: string, signal?: AbortSignal): Promise<void> {
    this.calls.push({ verb: "delete", path });
    return this.inner.delete(path, signal);
  }

  settle(prefix: string): Promise<void> {
    this.calls.push({ verb: "settle", path: prefix });
    return this.inner.settle(prefix);
  }

  sweep(prefix: string, beforeMs: number): Promise<void> {
    this.calls.push({ verb: "sweep", path: prefix });
    return this.inner.sweep(prefix, beforeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
  }
}

/** Wraps a store so that a test can assert what a verb costs. */
export function countingStore(inner: ObjectStore): CountingStore {
  return new CountingStore(inner);
}
