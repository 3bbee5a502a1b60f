import { DeltaError } from "../errors.js";

/** How much one batch reads at most; at least one file. */
export interface TriggerLimits {
  /** Default 1000, where `maxBytesPerTrigger` isn't given either. */
  readonly maxFilesPerTrigger?: number;
  /** Bytes of the source's files. A file is read whole, so that a batch may have one file more than fits. */
  readonly maxBytesPerTrigger?: number;
}

/** As Structured Streaming has it. */
const DEFAULT_MAX_FILES = 1000;

/** What a batch may still take. */
export class Admission {
  #files: number;
  #bytes: number;

  constructor({ maxFilesPerTrigger, maxBytesPerTrigger }: TriggerLimits, unlimited: boolean) {
    const files = maxBytesPerTrigger === undefined ? DEFAULT_MAX_FILES : Number.POSITIVE_INFINITY;
    this.#files = unlimited ? Number.POSITIVE_INFINITY : (maxFilesPerTrigger ?? files);
    this.#bytes = unlimited ? Number.POSITIVE_INFINITY : (maxBytesPerTrigger ?? Number.POSITIVE_INFINITY);
  }

  get isFull(): boolean {
    return this.#files <= 0 || this.#bytes <= 0;
  }

  take(sizeBytes: number): void {
    this.#files--;
    this.#bytes -= sizeBytes;
  }
}

/** Throws `DELTA_INVALID_ARGUMENT`. */
export function checkLimits({ maxFilesPerTrigger, maxBytesPerTrigger }: TriggerLimits): void {
  for (const [name, value] of Object.entries({ maxFilesPerTrigger, maxBytesPerTrigger })) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `${name} is a whole number from 1 up, not ${value}.`, {
      [name]: value,
    });
  }
}
