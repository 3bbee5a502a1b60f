import type { Decoded } from "./decoded.js";

/** The output of a decoder, which can be looked at before it is taken. */
export class Decoder {
  readonly #output: AsyncGenerator<Decoded>;
  readonly #onRestart: (stored: number, decoded: number) => void;
  #peeked: Uint8Array[] = [];
  /** Bytes that the decoder gave. */
  #decoded = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `onRestart` gets each place where decoding can begin, with the number of bytes decoded before it. */
  constructor(output: AsyncGenerator<Decoded>, onRestart: (stored: number, decoded: number) => void = () => undefined) {
    this.#output = output;
    this.#onRestart = onRestart;
  }

  async next(): Promise<Uint8Array | undefined> {
    return this.#peeked.shift() ?? (await this.#decode());
  }

  /** The next bytes, `count` at most, left where they are. What is wrong behind them isn't thrown yet. */
  async peek(count: number): Promise<Uint8Array> {
    let length = 0;
    for (const bytes of this.#peeked) length += bytes.length;
    while (length < count) {
      const bytes = await this.#decode().catch(() => undefined);
      if (bytes === undefined) break;
      this.#peeked.push(bytes);
      length += bytes.length;
    }
    return Buffer.concat(this.#peeked).subarray(0, count);
  }

  /** Ends the decoder. */
  async close(): Promise<void> {
    await this.#output.return(undefined);
  }

  async #decode(): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      for (;;) {
        const next = await this.#output.next();
        if (next.done) return undefined;
        const { bytes, restart } = next.value;
        if (restart !== undefined) this.#onRestart(restart, this.#decoded);
        else if (bytes.length > 0) {
          this.#decoded += bytes.length;
          return bytes;
        }
      }
    } catch (error) {
      // A generator that has thrown looks like one that is through.
      this.#failure = { error };
      throw error;
    }
  }
}
