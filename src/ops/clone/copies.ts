import { createHash } from "node:crypto";
import { DeltaError } from "../../errors.js";
import type { AddFile } from "../../log/actions.js";
import { deletionVectorPath } from "../../log/deletionVectors/storage.js";
import { encodePath, storePath } from "../../log/paths.js";
import { checkSignal } from "../../signal.js";
import type { ByteRange, ObjectStore } from "../../storage/store.js";
import { rootUri } from "./absolute.js";

/**
 * Copies the files of a table to another one's folder, each under its own relative path, whole or not at all. One that is there
 * already in its size was copied before: file names are unguessable, so it is the same.
 */
export class Copies {
  readonly #from: ObjectStore;
  readonly #to: ObjectStore;
  readonly #signal: AbortSignal | undefined;
  /** Files of deletion vectors serve many data files. */
  readonly #vectors = new Map<string, Promise<void>>();
  copiedFiles = 0;
  copiedBytes = 0;

  constructor(from: ObjectStore, to: ObjectStore, signal: AbortSignal | undefined) {
    this.#from = from;
    this.#to = to;
    this.#signal = signal;
  }

  /** Copies a data file and its deletion vector's; the action that adds them to the copy. */
  async copy(add: AddFile): Promise<AddFile> {
    const from = storePath(this.#from, add.path);
    const to = this.#targetOf(from);
    await this.#copyFile(from, to);
    const copied = { ...add, path: encodePath(to) };
    const vector = add.deletionVector;
    const vectorFrom = vector && deletionVectorPath(this.#from, vector);
    if (vector === undefined || vectorFrom === undefined) return copied;
    const vectorTo = this.#targetOf(vectorFrom);
    let copying = this.#vectors.get(vectorFrom);
    if (copying === undefined) {
      copying = this.#copyFile(vectorFrom, vectorTo);
      this.#vectors.set(vectorFrom, copying);
    }
    await copying;
    if (vector.storageType === "u") return copied;
    const pathOrInlineDv = `${rootUri(this.#to)}/${encodePath(vectorTo)}`;
    return { ...copied, deletionVector: { ...vector, pathOrInlineDv } };
  }

  /** Files of other roots have a path of their own, which is the same each time. */
  #targetOf(path: string): string {
    const isForeign = this.#from.otherRoots?.some((root) => path.startsWith(root)) ?? false;
    if (!isForeign) return path;
    const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
    return `${hash}-${path.slice(path.lastIndexOf("/") + 1)}`;
  }

  async #copyFile(from: string, to: string): Promise<void> {
    checkSignal(this.#signal, "clone");
    const [there, source] = await Promise.all([this.#to.head(to, this.#signal), this.#from.head(from, this.#signal)]);
    if (source === undefined) throw missing(from);
    const { sizeBytes, etag } = source;
    if (there?.sizeBytes === sizeBytes) return;
    const read = async (range: ByteRange) => {
      const bytes = await this.#from.get(from, { ...range, etag }, this.#signal);
      if (bytes.length === range.end - range.start) return bytes;
      throw missing(from);
    };
    await this.#to.putFrom(to, { sizeBytes, read }, this.#signal);
    this.copiedFiles++;
    this.copiedBytes += sizeBytes;
  }
}

function missing(path: string): DeltaError {
  return new DeltaError(
    "DELTA_FILE_NOT_FOUND",
    `${path}, which the table names, is gone, or was cut short while it was copied. Nothing was committed.`,
    { path },
  );
}
