import { checkPath, checkPrefix } from "./arguments.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "./store.js";

/**
 * The part of a store below `folder` (ending in `/`), as a store of its own. Its connections are the other one's: disposing
 * of it does nothing. Throws `DELTA_INVALID_ARGUMENT` for a folder that no path can have.
 */
export function storeBelow(store: ObjectStore, folder: string): ObjectStore {
  checkPrefix(folder);
  return new StoreBelow(store, folder);
}

class StoreBelow implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #folder: string;

  constructor(store: ObjectStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }

  get url(): string {
    const { url } = this.#store;
    return `${url}${url.endsWith("/") ? "" : "/"}${this.#folder.slice(0, -1)}`;
  }

  async get(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#store.get(this.#full(path), range, signal);
  }

  async put(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#store.put(this.#full(path), bytes, signal);
  }

  async putFrom(path: string, content: RangedContent, signal?: AbortSignal): Promise<void> {
    return this.#store.putFrom(this.#full(path), content, signal);
  }

  async putNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#store.putNew(this.#full(path), parts, signal);
  }

  async putIfAbsent(
    path: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Promise<PutOutcome> {
    return this.#store.putIfAbsent(this.#full(path), bytes, signal, after);
  }

  async putHint(path: string, bytes: Uint8Array): Promise<void> {
    return this.#store.putHint(this.#full(path), bytes);
  }

  async *list(
    prefix: string,
    startAfter?: string,
    signal?: AbortSignal,
    enters?: (folder: string) => boolean,
  ): AsyncGenerator<ObjectMeta> {
    const after = startAfter && this.#folder + startAfter;
    const own = enters && ((folder: string) => enters(this.#own(folder)));
    for await (const meta of this.#store.list(this.#folderOf(prefix), after, signal, own)) {
      yield { ...meta, path: this.#own(meta.path) };
    }
  }

  async listNames(prefix: string, startAfter?: string, signal?: AbortSignal): Promise<string[]> {
    const after = startAfter && this.#folder + startAfter;
    const names = await this.#store.listNames(this.#folderOf(prefix), after, signal);
    return names.map((path) => this.#own(path));
  }

  async head(path: string, signal?: AbortSignal): Promise<ObjectMeta | undefined> {
    const meta = await this.#store.head(this.#full(path), signal);
    return meta && { ...meta, path };
  }

  async delete(path: string, signal?: AbortSignal): Promise<void> {
    return this.#store.delete(this.#full(path), signal);
  }

  async settle(prefix: string): Promise<void> {
    return this.#store.settle(this.#folderOf(prefix));
  }

  async sweep(prefix: string, beforeMs: number): Promise<void> {
    return this.#store.sweep(this.#folderOf(prefix), beforeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Checked before the folder stands before it: an empty path would pass for the folder. */
  #full(path: string): string {
    checkPath(path);
    return this.#folder + path;
  }

  #folderOf(prefix: string): string {
    checkPrefix(prefix);
    return this.#folder + prefix;
  }

  #own(path: string): string {
    return path.slice(this.#folder.length);
  }
}
