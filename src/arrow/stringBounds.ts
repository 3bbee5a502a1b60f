import { isUtf8 } from "node:buffer";
import type { Data } from "apache-arrow";
import { isSet, type Validity } from "./bits.js";
import type { Bounds } from "./bounds.js";
import { compareBytes } from "./bytes.js";
import { offsetsOf } from "./column.js";

/** Code points that a bound keeps of a string. */
const PREFIX = 32;
/** How far a bound may go on behind the prefix to find a place where it can be made larger. */
const LONGEST_PREFIX = 64;

/** Strings in the order of their UTF-8 bytes, cut to {@link PREFIX} code points. */
export class StringBounds implements Bounds {
  #min: Uint8Array | undefined;
  #max: Uint8Array | undefined;

  add(data: Data, validity: Validity | undefined): void {
    const bytes = data.values as unknown as Uint8Array;
    const offsets = offsetsOf(data) as Int32Array;
    let least = -1;
    let most = -1;
    // Whatever is between the bounds begins as both do, and most texts are told by the first byte behind that.
    let shared = 0;
    let low = -1;
    let high = 256;
    for (let i = 0; i < data.length; i++) {
      if (validity !== undefined && !isSet(validity, i)) continue;
      const start = offsets[i];
      const end = offsets[i + 1];
      if (least < 0) {
        least = i;
        most = i;
      } else {
        const first = offsets[least];
        if (end - start > shared) {
          const byte = bytes[start + shared];
          if (byte > low && byte < high) {
            let k = 0;
            while (k < shared && bytes[start + k] === bytes[first + k]) k++;
            if (k === shared) continue;
          }
        }
        if (compareBytes(bytes, start, end, bytes, first, offsets[least + 1]) < 0) least = i;
        else if (compareBytes(bytes, start, end, bytes, offsets[most], offsets[most + 1]) > 0) most = i;
        else continue;
      }
      const [min, minEnd, max, maxEnd] = [offsets[least], offsets[least + 1], offsets[most], offsets[most + 1]];
      const shorter = Math.min(minEnd - min, maxEnd - max);
      shared = 0;
      while (shared < shorter && bytes[min + shared] === bytes[max + shared]) shared++;
      // Where one of them ends there, every longer text with that beginning is above it.
      low = min + shared < minEnd ? bytes[min + shared] : -1;
      high = max + shared < maxEnd ? bytes[max + shared] : -1;
    }
    const min = bytes.subarray(offsets[least], offsets[least + 1]);
    const max = bytes.subarray(offsets[most], offsets[most + 1]);
    if (this.#min === undefined || compareBytes(min, 0, min.length, this.#min, 0, this.#min.length) < 0) {
      this.#min = min.slice();
    }
    if (this.#max === undefined || compareBytes(max, 0, max.length, this.#max, 0, this.#max.length) > 0) {
      this.#max = max.slice();
    }
  }

  min(): string | undefined {
    // What is no UTF-8 would be another value once it is text.
    if (this.#min === undefined || !isUtf8(this.#min)) return undefined;
    return JSON.stringify(codePoints(this.#min, PREFIX).join(""));
  }

  max(): string | undefined {
    if (this.#max === undefined || !isUtf8(this.#max)) return undefined;
    const bound = upperBound(codePoints(this.#max, LONGEST_PREFIX + 1));
    return bound === undefined ? undefined : JSON.stringify(bound);
  }
}

function codePoints(bytes: Uint8Array, count: number): string[] {
  // A code point has at most four bytes; one cut off at the end is behind those that are wanted.
  return Array.from(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 4 * count + 4))).slice(
    0,
    count,
  );
}

/**
 * The text itself where it is short, else a prefix and a character greater than the next one, as Spark writes it: DEL
 * behind ASCII, else the last of all code points. Undefined where no such place is found.
 */
function upperBound(points: readonly string[]): string | undefined {
  if (points.length <= PREFIX) return points.join("");
  for (let length = PREFIX; length < Math.min(points.length, LONGEST_PREFIX); length++) {
    const next = points[length].codePointAt(0) as number;
    if (next < 0x7f) return `${points.slice(0, length).join("")}\u007f`;
    if (next < 0x10ffff) return `${points.slice(0, length).join("")}\u{10ffff}`;
  }
  return points.length <= LONGEST_PREFIX ? points.join("") : undefined;
}
