import { DeltaError } from "../errors.js";
import type { DeletionVectorDescriptor } from "../log/actions.js";
import { type DeletionVector, DeletionVectorReader } from "../log/deletionVector.js";
import type { ObjectStore } from "../storage/store.js";
import type { FindingCode } from "./findingCodes.js";
import type { Findings } from "./findings.js";

const CODES: Readonly<Record<string, FindingCode>> = {
  DELTA_FILE_NOT_FOUND: "vector-missing",
  DELTA_DELETION_VECTOR_INVALID: "vector-unreadable",
  DELTA_DELETION_VECTOR_SIZE_MISMATCH: "vector-unreadable",
  DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH: "vector-checksum",
  DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH: "vector-cardinality",
  DELTA_UNSUPPORTED_FILE_PATH: "file-outside",
};

/** Reads and checks the deletion vectors of live files. */
export class VectorCheck {
  readonly #reader: DeletionVectorReader;
  readonly #findings: Findings;

  constructor(store: ObjectStore, findings: Findings) {
    this.#reader = new DeletionVectorReader(store);
    this.#findings = findings;
  }

  /** The vector, or undefined where it is wrong, which is reported. `rowCount` is the file's; undefined for unknown. */
  async read(
    descriptor: DeletionVectorDescriptor,
    file: { readonly path: string; readonly version: number },
    rowCount: number | undefined,
    signal?: AbortSignal,
  ): Promise<DeletionVector | undefined> {
    let vector: DeletionVector;
    try {
      vector = await this.#reader.read(descriptor, signal);
    } catch (error) {
      const code = error instanceof DeltaError ? CODES[error.code] : undefined;
      if (code === undefined) throw error;
      const { message, data } = error as DeltaError;
      this.#findings.add(code, `The deletion vector of ${file.path} is wrong: ${message}`, file, {
        ...data,
        descriptor,
      });
      return undefined;
    }
    if (rowCount === undefined || vector.last === undefined || vector.last < rowCount) return vector;
    const message = `The deletion vector of ${file.path} removes row ${vector.last}, but the file has ${rowCount} rows.`;
    this.#findings.add("vector-out-of-range", message, file, { last: vector.last, rowCount, descriptor });
    return undefined;
  }
}
