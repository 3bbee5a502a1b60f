import { crc32 } from "../../crc32.js";
import { runtime } from "../../runtime.js";
import type { ObjectStore } from "../../storage/store.js";
import type { DeletionVectorDescriptor } from "../actions.js";
import { writeRoaring64 } from "./roaringWrite.js";
import { encodeZ85 } from "./z85.js";

/** PROTOCOL.md, Deletion Vector File Storage Format. */
const FILE_VERSION = 1;
/** Encoded bytes after which a file is put and the next one begun. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

/**
 * Writes the deletion vectors of a commit, as few files as are needed: `deletion_vector_<uuid>.bin` in the table's folder, which nobody
 * sees until a commit names them.
 */
export class DeletionVectorWriter {
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal | undefined;
  readonly #puts: { readonly path: string; readonly stored: Promise<void> }[] = [];
  #uuid = "";
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(store: ObjectStore, signal?: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
  }

  /** @param rows ascending positions in the data file, each once */
  add(rows: ArrayLike<number>): DeletionVectorDescriptor {
    if (this.#sizeBytes > MAX_FILE_BYTES) this.#putFile();
    if (this.#parts.length === 0) {
      this.#uuid = runtime.randomUUID();
      this.#parts.push(Uint8Array.of(FILE_VERSION));
      this.#sizeBytes = 1;
    }
    const data = writeRoaring64(rows);
    const offset = this.#sizeBytes;
    this.#parts.push(bigEndian(data.length), data, bigEndian(crc32(data)));
    this.#sizeBytes += data.length + 8;
    return {
      storageType: "u",
      pathOrInlineDv: encodeZ85(Buffer.from(this.#uuid.replaceAll("-", ""), "hex")),
      offset,
      sizeInBytes: data.length,
      cardinality: rows.length,
    };
  }

  /** Resolves once all vectors are durable; rejects where a file couldn't be put. */
  async finish(): Promise<void> {
    if (this.#parts.length > 0) this.#putFile();
    await Promise.all(this.#puts.map(({ stored }) => stored));
  }

  /** Removes the files. Only for a change that surely isn't committed. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#puts.map(({ stored }) => stored));
    await Promise.allSettled(this.#puts.map(({ path }) => this.#store.delete(path)));
  }

  #putFile(): void {
    const path = `deletion_vector_${this.#uuid}.bin`;
    const stored = this.#store.putNew(path, this.#parts, this.#signal);
    // `finish` tells of a failure.
    stored.catch(() => undefined);
    this.#puts.push({ path, stored });
    this.#parts = [];
    this.#sizeBytes = 0;
  }
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0);
  return bytes;
}
