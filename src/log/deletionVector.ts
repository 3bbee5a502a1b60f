import { DeltaError } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";
import type { DeletionVectorDescriptor } from "./actions.js";
import { DeletionVector } from "./deletionVectors/positions.js";
import { readRoaring64 } from "./deletionVectors/roaring.js";
import { deletionVectorPath, inlineBytes, StoredVectors } from "./deletionVectors/storage.js";

export { DeletionVector };

/** The most that the protocol's 32-bit sizes and offsets can say. */
const MAX_INT = 2 ** 31 - 1;

/** Reads deletion vectors of one table. Those that lie near each other in one file cost one request. */
export class DeletionVectorReader {
  readonly #store: ObjectStore;
  readonly #stored: StoredVectors;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#stored = new StoredVectors(store);
  }

  /**
   * The rows that a file's deletion vector removes (PROTOCOL.md, Deletion Vectors). Whether they are in the file is the
   * caller's to check, by `last`.
   *
   * Throws `DELTA_DELETION_VECTOR_INVALID`, `DELTA_DELETION_VECTOR_SIZE_MISMATCH`,
   * `DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH`, `DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH`,
   * `DELTA_UNSUPPORTED_FILE_PATH` for a vector outside of the table's folder, and what the store throws.
   */
  async read(descriptor: DeletionVectorDescriptor, signal?: AbortSignal): Promise<DeletionVector> {
    const { cardinality } = descriptor;
    let vector: DeletionVector;
    try {
      checkDescriptor(descriptor);
      vector = new DeletionVector(readRoaring64OrNothing(await this.#bytesOf(descriptor, signal)));
    } catch (error) {
      if (error instanceof RangeError) throw this.#invalid(descriptor, error);
      throw error;
    }
    if (vector.cardinality === cardinality) return vector;
    throw new DeltaError(
      "DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH",
      `${this.#nameOf(descriptor)} removes ${vector.cardinality} rows, but the log says ${cardinality}. One of them is damaged; restore the table from a backup or go back to an older version.`,
      { ...this.#placeOf(descriptor), cardinality, found: vector.cardinality },
    );
  }

  async #bytesOf(descriptor: DeletionVectorDescriptor, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const path = deletionVectorPath(this.#store, descriptor);
    if (path === undefined) return inlineBytes(descriptor);
    return this.#stored.read(path, descriptor.offset ?? 0, descriptor.sizeInBytes, signal);
  }

  #invalid(descriptor: DeletionVectorDescriptor, cause: RangeError): DeltaError {
    return new DeltaError(
      "DELTA_DELETION_VECTOR_INVALID",
      `${this.#nameOf(descriptor)} can't be read: it has ${cause.message}. Restore the table from a backup or go back to an older version.`,
      this.#placeOf(descriptor),
      cause,
    );
  }

  #nameOf(descriptor: DeletionVectorDescriptor): string {
    const { path, offset } = this.#placeOf(descriptor);
    if (path === undefined) return `A deletion vector in the log of ${this.#store.url}`;
    return `The deletion vector at offset ${offset} of ${path}`;
  }

  #placeOf(descriptor: DeletionVectorDescriptor): { path?: string; offset?: number } {
    try {
      const path = deletionVectorPath(this.#store, descriptor);
      return path === undefined ? {} : { path, offset: descriptor.offset ?? 0 };
    } catch {
      return {};
    }
  }
}

/** No bytes at all are how Delta's own writer describes a vector that removes nothing. */
function readRoaring64OrNothing(bytes: Uint8Array) {
  return bytes.length === 0 ? [] : readRoaring64(bytes);
}

function checkDescriptor({ pathOrInlineDv, offset, sizeInBytes, cardinality }: DeletionVectorDescriptor): void {
  if (typeof pathOrInlineDv !== "string") throw new RangeError("no pathOrInlineDv");
  checkNumber("sizeInBytes", sizeInBytes, MAX_INT);
  checkNumber("offset", offset ?? 0, MAX_INT);
  checkNumber("cardinality", cardinality, Number.MAX_SAFE_INTEGER);
}

function checkNumber(name: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) throw new RangeError(`the ${name} ${value}`);
}
