import { crc32 } from "../../crc32.js";
import { DeltaError } from "../../errors.js";
import type { ObjectStore } from "../../storage/store.js";
import type { DeletionVectorDescriptor } from "../actions.js";
import { encodePath, storePath } from "../paths.js";
import { decodeZ85 } from "./z85.js";

// PROTOCOL.md, Deletion Vector File Storage Format: a version, then for each vector its size, its data and their
// checksum, in big-endian order.
const FILE_VERSION = 1;
const SIZE_BYTES = 4;
const CHECKSUM_BYTES = 4;
/** Characters of a UUID's 16 bytes in Z85. */
const UUID_LENGTH = 20;

/** A request for this many bytes costs about what one for a vector costs; the next vectors are mostly among them. */
const WINDOW_BYTES = 64 * 1024;
/** Windows kept: those of the files that are read at the same time, and of some before them. */
const MAX_WINDOWS = 16;

interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * Where the file with a deletion vector lies below the table's root, decoded; undefined for one that is in the log
 * itself (PROTOCOL.md, Deletion Vectors, Derived Fields).
 *
 * Throws a RangeError for what is no descriptor, and `DELTA_UNSUPPORTED_FILE_PATH` for a file outside of the table.
 */
export function deletionVectorPath(
  store: Pick<ObjectStore, "url">,
  { storageType, pathOrInlineDv }: DeletionVectorDescriptor,
): string | undefined {
  switch (storageType) {
    case "i":
      return undefined;
    case "p":
      return storePath(store, pathOrInlineDv);
    case "u": {
      const prefix = pathOrInlineDv.slice(0, -UUID_LENGTH);
      const name = `deletion_vector_${uuidOf(pathOrInlineDv.slice(-UUID_LENGTH))}.bin`;
      return storePath(store, prefix === "" ? name : `${encodePath(prefix)}/${name}`);
    }
    default:
      throw new RangeError(`the storage type ${JSON.stringify(storageType)}`);
  }
}

function uuidOf(text: string): string {
  if (text.length !== UUID_LENGTH) throw new RangeError("no UUID in its path");
  const hex = Buffer.from(decodeZ85(text)).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The `sizeInBytes` bytes of a vector that is in the log itself. Throws a RangeError. */
export function inlineBytes({ pathOrInlineDv, sizeInBytes }: DeletionVectorDescriptor): Uint8Array {
  // Z85 has groups of four bytes; the last one is filled up.
  const bytes = decodeZ85(pathOrInlineDv);
  if (bytes.length !== Math.ceil(sizeInBytes / 4) * 4) {
    throw new RangeError(`${bytes.length} bytes in the log where ${sizeInBytes} should be`);
  }
  return bytes.subarray(0, sizeInBytes);
}

/** Reads the vectors of files. Those that lie near each other in one file cost one request. */
export class StoredVectors {
  readonly #store: ObjectStore;
  readonly #windows = new Map<string, Window>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * The data of a vector at `offset`. Throws `DELTA_DELETION_VECTOR_SIZE_MISMATCH`,
   * `DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH`, a RangeError for a file of another format, and what the store throws.
   */
  async read(path: string, offset: number, sizeInBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    // The byte at 0 is the file's version, so a vector without an offset can only begin behind it.
    const start = Math.max(offset, 1);
    const end = start + SIZE_BYTES + sizeInBytes + CHECKSUM_BYTES;
    const window = this.#windowOf(path, start === 1 ? 0 : start, end, signal);
    const bytes = await window.bytes;
    if (window.start === 0 && bytes.length > 0 && bytes[0] !== FILE_VERSION) {
      throw new RangeError(`the file version ${bytes[0]}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = start - window.start;
    const facts = { path, offset: start, sizeInBytes };
    if (at + (end - start) > bytes.length || view.getUint32(at) !== sizeInBytes) {
      throw new DeltaError(
        "DELTA_DELETION_VECTOR_SIZE_MISMATCH",
        `The file ${path} has no deletion vector of ${sizeInBytes} bytes at offset ${start}, as the log says. It was changed or cut short; restore it from a backup.`,
        facts,
      );
    }
    const data = bytes.subarray(at + SIZE_BYTES, at + SIZE_BYTES + sizeInBytes);
    if (view.getUint32(at + SIZE_BYTES + sizeInBytes) !== crc32(data)) {
      throw new DeltaError(
        "DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH",
        `The deletion vector at offset ${start} of ${path} doesn't have its checksum: the file is damaged. Restore it from a backup.`,
        facts,
      );
    }
    return data;
  }

  #windowOf(path: string, start: number, end: number, signal: AbortSignal | undefined): Window {
    const known = this.#windows.get(path);
    if (known !== undefined && known.start <= start && end <= known.end) return known;
    const range = { start, end: Math.max(end, start + WINDOW_BYTES) };
    const window = { ...range, bytes: this.#store.get(path, range, signal) };
    if (end - start > WINDOW_BYTES) return window;
    this.#windows.delete(path);
    this.#windows.set(path, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MAX_WINDOWS && oldest !== undefined) this.#windows.delete(oldest);
    // Another attempt asks again.
    window.bytes.catch(() => this.#windows.get(path) === window && this.#windows.delete(path));
    return window;
  }
}
