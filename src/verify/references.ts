import type { DeletionVectorDescriptor } from "../log/actions.js";
import { deletionVectorPath } from "../log/deletionVectors/storage.js";
import { storePath } from "../log/paths.js";
import type { ObjectStore } from "../storage/store.js";
import { grown, HashIndex, keyOf } from "./hashIndex.js";

const FIRST_ROWS = 1024;

/** The files that any action in the log names, and the size that the store's listing gives each: some 40 bytes a file. */
export class References {
  readonly #store: Pick<ObjectStore, "url">;
  readonly #index = new HashIndex();
  /** NaN where it isn't listed. */
  #listedSize = new Float64Array(FIRST_ROWS).fill(Number.NaN);

  constructor(store: Pick<ObjectStore, "url">) {
    this.#store = store;
  }

  /** Notes a file action's path, as the log spells it, and its deletion vector's file. */
  add(path: string, vector?: DeletionVectorDescriptor | null): void {
    this.#note(() => storePath(this.#store, path));
    if (vector !== undefined && vector !== null) this.#note(() => deletionVectorPath(this.#store, vector));
  }

  /** Notes a listed file's size; false where nothing refers to it. */
  list(path: string, sizeBytes: number): boolean {
    const row = this.#index.find(keyOf(path));
    if (row >= 0) this.#listedSize[row] = sizeBytes;
    return row >= 0;
  }

  /** The listed size of a file in the store; undefined where it wasn't listed. */
  listedSize(path: string): number | undefined {
    const row = this.#index.find(keyOf(path));
    const size = row < 0 ? Number.NaN : this.#listedSize[row]!;
    return Number.isNaN(size) ? undefined : size;
  }

  #note(pathOf: () => string | undefined): void {
    let path: string | undefined;
    try {
      path = pathOf();
    } catch {
      // What lies outside of the table is reported where it is read.
      return;
    }
    if (path === undefined) return;
    const row = this.#index.add(keyOf(path));
    if (row < this.#listedSize.length) return;
    const used = this.#listedSize.length;
    this.#listedSize = grown(this.#listedSize, used * 2);
    this.#listedSize.fill(Number.NaN, used);
  }
}
