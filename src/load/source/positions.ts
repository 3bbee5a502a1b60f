import { DeltaError } from "../../errors.js";
import type { Transcoder } from "./encoding.js";
import type { BytePosition } from "./source.js";

interface Restart {
  /** In the stored file. */
  readonly stored: number;
  /** Decompressed bytes before it, since this reading began. */
  readonly decoded: number;
}

/** Where in the stored file the bytes lie that a reader gave, as far as they may still be asked for. */
export class Positions {
  readonly #isPlain: boolean;
  #transcoder: Transcoder | undefined;
  #restarts: Restart[] = [];
  /** Index of the last restart that isn't behind the last position asked for. */
  #restart = 0;
  /** Decompressed bytes before the first byte given, since `restarts[0]`. */
  #decoded = 0;
  #asked = 0;
  readonly #given: Uint8Array[] = [];

  constructor(stored: number, isPlain: boolean) {
    this.#restarts.push({ stored, decoded: 0 });
    this.#isPlain = isPlain;
  }

  /** So many decompressed bytes come before the first one that is given, and what is given comes from this transcoder. */
  begin(decoded: number, transcoder: Transcoder | undefined): void {
    this.#decoded = decoded;
    this.#transcoder = transcoder;
  }

  /** Decoding can begin at `stored`, which is `decoded` decompressed bytes from where this reading began. */
  addRestart(stored: number, decoded: number): void {
    this.#restarts.push({ stored, decoded });
  }

  /** Bytes that were given. */
  add(bytes: Uint8Array): void {
    if (this.#transcoder !== undefined) this.#given.push(bytes);
  }

  /** Offsets count the bytes given, and come in order. */
  at(offset: number): BytePosition {
    if (offset < this.#asked) {
      throw new DeltaError("DELTA_INTERNAL", `Position ${offset} of a source was asked for after ${this.#asked}.`);
    }
    this.#decoded += this.#decompressedBytes(offset - this.#asked);
    this.#asked = offset;
    while ((this.#restarts[this.#restart + 1]?.decoded ?? Infinity) <= this.#decoded) this.#restart++;
    // Many small members make many of them.
    if (this.#restart > 1000) {
      this.#restarts = this.#restarts.slice(this.#restart);
      this.#restart = 0;
    }
    const { stored, decoded } = this.#restarts[this.#restart]!;
    const rest = this.#decoded - decoded;
    return this.#isPlain ? { stored: stored + rest, decoded: 0 } : { stored, decoded: rest };
  }

  #decompressedBytes(count: number): number {
    if (this.#transcoder === undefined) return count;
    let decompressed = 0;
    while (count > 0) {
      const first = this.#given[0]!;
      const part = first.subarray(0, count);
      decompressed += this.#transcoder.sourceBytes(part);
      count -= part.length;
      if (part.length === first.length) this.#given.shift();
      else this.#given[0] = first.subarray(part.length);
    }
    return decompressed;
  }
}
