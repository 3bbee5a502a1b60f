import { DeltaError } from "#src/errors.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "#src/storage/store.js";

/** A process that dies at its `at`-th write, just before or just after it took effect: from then on no call of it succeeds. */
export class Life {
  writes = 0;
  isOver = false;
  readonly #at: number;
  readonly #takesEffect: boolean;

  constructor(at = Number.POSITIVE_INFINITY, takesEffect = false) {
    this.#at = at;
    this.#takesEffect = takesEffect;
  }

  /** The store as this process has it. */
  store(inner: ObjectStore): ObjectStore {
    return new DyingStore(inner, this);
  }

  check(): void {
    if (this.isOver) throw new DeltaError("DELTA_STORAGE_FAILED", "killed", {});
  }

  async write<T>(action: () => Promise<T>): Promise<T> {
    this.check();
    if (this.writes++ !== this.#at) return action();
    if (this.#takesEffect) await action();
    this.isOver = true;
    return this.check() as never;
  }
}

class DyingStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #life: Life;

  constructor(inner: ObjectStore, life: Life) {
    this.#inner = inner;
    this.#life = life;
  }

  get url(): string {
    return this.#inner.url;
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    this.#life.check();
    return this.#inner.get(path, range);
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#life.write(() => this.#inner.put(path, bytes));
  }

  putFrom(path: string, content: RangedContent): Promise<void> {
    return this.#life.write(() => this.#inner.putFrom(path, content));
  }

  putNew(path: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.#life.write(() => this.#inner.putNew(path, parts));
  }

  putIfAbsent(path: string, bytes: Uint8Array, signal?: AbortSignal, after?: Promise<unknown>): Promise<PutOutcome> {
    return this.#life.write(() => this.#inner.putIfAbsent(path, bytes, signal, after));
  }

  putHint(path: string, bytes: Uint8Array): Promise<void> {
    return this.#life.write(() => this.#inner.putHint(path, bytes));
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<ObjectMeta> {
    this.#life.check();
    yield* this.#inner.list(prefix, startAfter);
  }

  async listNames(prefix: string, startAfter?: string): Promise<string[]> {
    this.#life.check();
    return this.#inner.listNames(prefix, startAfter);
  }

  async head(path: string): Promise<ObjectMeta | undefined> {
    this.#life.check();
    return this.#inner.head(path);
  }

  delete(path: string): Promise<void> {
    return this.#life.write(() => this.#inner.delete(path));
  }

  async settle(prefix: string): Promise<void> {
    this.#life.check();
    return this.#inner.settle(prefix);
  }

  async sweep(prefix: string, beforeMs: number): Promise<void> {
    this.#life.check();
    return this.#inner.sweep(prefix, beforeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
