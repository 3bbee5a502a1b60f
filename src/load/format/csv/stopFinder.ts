import { Buffer } from "node:buffer";

/** A stop that is nearer is found faster byte by byte than by the system, which costs a call. */
const NEAR_BYTES = 16;

/** Finds the next of some bytes in a text, from left to right. */
export class StopFinder {
  readonly #isStop = new Uint8Array(256);
  readonly #stops: readonly number[];
  /** For each stop the place up to which there is none, and where it is, unless that is as far as it was looked for. */
  readonly #places: Int32Array;
  #bytes: Uint8Array | undefined;
  /** Whether the last stop was near. */
  #isDense = false;
  #buffer: Buffer = Buffer.alloc(0);

  /** -1 stands for no byte. */
  constructor(stops: readonly number[]) {
    this.#stops = [...new Set(stops)].filter((stop) => stop >= 0);
    this.#places = new Int32Array(this.#stops.length);
    for (const stop of this.#stops) this.#isStop[stop] = 1;
  }

  /** To be called where the bytes have changed, or are gone through from an earlier place again. */
  forget(): void {
    this.#bytes = undefined;
  }

  /** The place of the first stop from `from` on and before `end`, `end` where there is none. Neither becomes less from call to call. */
  next(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    if (this.#isDense) {
      const isStop = this.#isStop;
      for (const near = Math.min(from + NEAR_BYTES, end); at < near; at++) if (isStop[bytes[at]!] !== 0) return at;
      this.#isDense = false;
    }
    if (bytes !== this.#bytes) this.#begin(bytes);
    const stops = this.#stops;
    const places = this.#places;
    let first = end;
    for (let i = 0; i < stops.length; i++) {
      const stop = stops[i]!;
      let place = places[i]!;
      if (place < at || (place < end && bytes[place] !== stop)) {
        const found = this.#buffer.indexOf(stop, Math.max(place, at));
        place = found < 0 || found > end ? end : found;
        places[i] = place;
      }
      if (place < first) first = place;
    }
    if (first - from < NEAR_BYTES) this.#isDense = true;
    return first;
  }

  #begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#places.fill(0);
  }
}
