import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Rows that are packed at a time, and the rows that stay as they are at least. */
const BLOCK_ROWS = 8192;
const PLAIN_ROWS = 2 * BLOCK_ROWS;

/**
 * A column of texts that are much alike, as statistics are, and seldom asked for: of a long one all but the newest rows are packed,
 * which takes a tenth of the room. Reading from one row to the next unpacks each block once.
 */
export class TextColumn {
  /** Rows from `#packedRows` on. */
  #plain: (string | undefined)[] = [];
  readonly #blocks: Uint8Array[] = [];
  #opened: { readonly block: number; readonly texts: readonly (string | null)[] } | undefined;

  get length(): number {
    return this.#packedRows + this.#plain.length;
  }

  get #packedRows(): number {
    return this.#blocks.length * BLOCK_ROWS;
  }

  push(text: string | undefined): void {
    this.#plain.push(text);
    if (this.#plain.length < PLAIN_ROWS + BLOCK_ROWS) return;
    const texts = this.#plain.slice(0, BLOCK_ROWS).map((value) => value ?? null);
    this.#blocks.push(deflateRawSync(JSON.stringify(texts), { level: 1 }));
    this.#plain = this.#plain.slice(BLOCK_ROWS);
  }

  get(row: number): string | undefined {
    if (row >= this.#packedRows) return this.#plain[row - this.#packedRows];
    return this.#textsOf(Math.floor(row / BLOCK_ROWS))[row % BLOCK_ROWS] ?? undefined;
  }

  /** Forgets the rows from `length` on. */
  cut(length: number): void {
    while (this.#packedRows > length) {
      const last = this.#blocks.length - 1;
      const texts = this.#textsOf(last).map((text) => text ?? undefined);
      this.#blocks.pop();
      this.#opened = undefined;
      this.#plain = [...texts, ...this.#plain];
    }
    this.#plain.length = Math.min(this.#plain.length, length - this.#packedRows);
  }

  #textsOf(block: number): readonly (string | null)[] {
    if (this.#opened?.block !== block) {
      const texts: (string | null)[] = JSON.parse(inflateRawSync(this.#blocks[block]!).toString());
      this.#opened = { block, texts };
    }
    return this.#opened.texts;
  }
}
