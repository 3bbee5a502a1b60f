import { Buffer } from "node:buffer";
import { DeltaError } from "../../errors.js";
import { limits } from "../../limits.js";
import { compareBytes } from "../bytes.js";
import type { ByteWriter } from "../byteWriter.js";
import { writeJsonString } from "../jsonString.js";
import { VariantError } from "./error.js";

const VERSION = 1;

/** The names that the objects of a variant have: its metadata (parquet-format, VariantEncoding.md, Metadata encoding). */
export class VariantNames {
  readonly #bytes: Uint8Array;
  #count = 0;
  #width = 1;
  /** Where the offsets are, and the texts that they count from. */
  #offsets = 0;
  #texts = 0;
  #end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes to the metadata in bytes `start` to `end`. Throws a {@link VariantError} where they are none of a known version. */
  open(start: number, end: number): void {
    const header = this.#bytes[start];
    if (start >= end || header === undefined) throw new VariantError("a variant has no metadata");
    if ((header & 15) !== VERSION) throw new VariantError(`a variant's metadata is of version ${header & 15}`);
    this.#width = (header >> 6) + 1;
    this.#end = end;
    this.#count = this.#number(start + 1);
    this.#offsets = start + 1 + this.#width;
    this.#texts = this.#offsets + (this.#count + 1) * this.#width;
    if (this.#texts > end) throw new VariantError("a variant's metadata is cut");
  }

  /** All of them, in their order. */
  all(): Buffer[] {
    return Array.from({ length: this.#count }, (_, id) => this.at(id));
  }

  /** Name `id`, in UTF-8. */
  at(id: number): Buffer {
    const [start, end] = this.#range(id);
    return Buffer.from(this.#bytes.subarray(start, end));
  }

  /** Writes name `id` as a JSON string. */
  write(out: ByteWriter, id: number): void {
    const [start, end] = this.#range(id);
    writeJsonString(out, this.#bytes, start, end);
    // Values take up what they are stored in, but a long name may stand in many places.
    checkLength(out);
  }

  /** Below 0 where name `id` comes before `text` in the order of bytes, 0 where they are the same. */
  compare(id: number, text: Uint8Array): number {
    const [start, end] = this.#range(id);
    return compareBytes(this.#bytes, start, end, text, 0, text.length);
  }

  #range(id: number): readonly [start: number, end: number] {
    if (id >= this.#count) throw new VariantError("a variant's object has a name that its metadata lacks");
    const at = this.#offsets + id * this.#width;
    const start = this.#texts + this.#number(at);
    const end = this.#texts + this.#number(at + this.#width);
    if (start > end || end > this.#end) throw new VariantError("a variant's metadata is cut");
    return [start, end];
  }

  #number(at: number): number {
    if (at + this.#width > this.#end) throw new VariantError("a variant's metadata is cut");
    return littleEndian(this.#bytes, at, this.#width);
  }
}

/** An unsigned integer of 1 to 4 bytes. */
export function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = at + width - 1; i >= at; i--) value = value * 256 + bytes[i]!;
  return value;
}

function checkLength(out: ByteWriter): void {
  const { MAX_VARIANT_JSON_BYTES } = limits;
  if (out.length <= MAX_VARIANT_JSON_BYTES) return;
  throw new DeltaError(
    "DELTA_LIMIT_EXCEEDED",
    `A batch of variants has more than ${MAX_VARIANT_JSON_BYTES} bytes of JSON. Read the table without the column.`,
    { limit: "MAX_VARIANT_JSON_BYTES" },
  );
}
