import { DeltaError } from "../errors.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "./store.js";

/**
 * The store, and objects below other roots: those are only read, by paths that begin with the {@link ObjectStore.url} of their own
 * store, and never listed or changed. Disposing of it disposes of all of them.
 */
export function withOtherRoots(store: ObjectStore, others: readonly ObjectStore[]): ObjectStore {
  return others.length === 0 ? store : new RootedStore(store, others);
}

/** The path of an object of another root, for a store that {@link withOtherRoots} gave. */
export function pathBelow(root: string, path: string): string {
  return root.endsWith("/") ? root + path : `${root}/${path}`;
}

class RootedStore implements ObjectStore {
  readonly otherRoots: readonly string[];
  readonly putNewBy?: NonNullable<ObjectStore["putNewBy"]>;
  readonly #store: ObjectStore;
  readonly #others: readonly ObjectStore[];

  constructor(store: ObjectStore, others: readonly ObjectStore[]) {
    this.#store = store;
    this.#others = others;
    this.otherRoots = others.map(({ url }) => url);
    if (store.putNewBy !== undefined) this.putNewBy = async (path, ...rest) => this.#own(path).putNewBy!(path, ...rest);
  }

  get url(): string {
    return this.#store.url;
  }

  async get(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const other = this.#otherOf(path);
    return other === undefined ? this.#store.get(path, range, signal) : other.store.get(other.path, range, signal);
  }

  async head(path: string, signal?: AbortSignal): Promise<ObjectMeta | undefined> {
    const other = this.#otherOf(path);
    if (other === undefined) return this.#store.head(path, signal);
    const meta = await other.store.head(other.path, signal);
    return meta && { ...meta, path };
  }

  async put(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#own(path).put(path, bytes, signal);
  }

  async putFrom(path: string, content: RangedContent, signal?: AbortSignal): Promise<void> {
    return this.#own(path).putFrom(path, content, signal);
  }

  async putNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#own(path).putNew(path, parts, signal);
  }

  async putIfAbsent(
    path: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Promise<PutOutcome> {
    return this.#own(path).putIfAbsent(path, bytes, signal, after);
  }

  async putHint(path: string, bytes: Uint8Array): Promise<void> {
    return this.#own(path).putHint(path, bytes);
  }

  async delete(path: string, signal?: AbortSignal): Promise<void> {
    return this.#own(path).delete(path, signal);
  }

  list(
    prefix: string,
    startAfter?: string,
    signal?: AbortSignal,
    enters?: (folder: string) => boolean,
  ): AsyncIterable<ObjectMeta> {
    return this.#store.list(prefix, startAfter, signal, enters);
  }

  async listNames(prefix: string, startAfter?: string, signal?: AbortSignal): Promise<string[]> {
    return this.#store.listNames(prefix, startAfter, signal);
  }

  async settle(prefix: string): Promise<void> {
    return this.#store.settle(prefix);
  }

  async removeEmptyFolders(
    beforeMs: number,
    enters: (folder: string) => boolean,
    signal?: AbortSignal,
  ): Promise<number> {
    return (await this.#store.removeEmptyFolders?.(beforeMs, enters, signal)) ?? 0;
  }

  localPath(path: string): string | undefined {
    const other = this.#otherOf(path);
    return other === undefined ? this.#store.localPath?.(path) : other.store.localPath?.(other.path);
  }

  async sweep(prefix: string, beforeMs: number): Promise<void> {
    return this.#store.sweep(prefix, beforeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#store, ...this.#others].map((store) => store[Symbol.asyncDispose]()));
  }

  #otherOf(path: string): { readonly store: ObjectStore; readonly path: string } | undefined {
    for (const store of this.#others) {
      const start = pathBelow(store.url, "");
      if (path.startsWith(start)) return { store, path: path.slice(start.length) };
    }
    return undefined;
  }

  #own(path: string): ObjectStore {
    const other = this.#otherOf(path);
    if (other === undefined) return this.#store;
    throw new DeltaError("DELTA_READ_ONLY", `${path} belongs to ${other.store.url}, which is only read.`, { path });
  }
}
