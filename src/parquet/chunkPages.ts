import { limits } from "../limits.js";
import type { ByteRange } from "../storage/store.js";
import { checkPage } from "./pageChecksums.js";
import { type PageHeader, readPageHeader } from "./pageHeader.js";

/** Neighbouring pages of one column chunk, which can be decoded without the others. */
export interface PageRun {
  /** Counted from the row group's begin. */
  readonly firstRow: number;
  readonly rowCount: number;
  /** The pages one after the other, with the chunk's dictionary page in front where it has one. */
  readonly pages: readonly Uint8Array[];
  readonly dictionaryBytes: number;
  readonly uncompressedBytes: number;
}

/** Reads bytes of a file. */
export type ReadRange = (range: ByteRange) => Promise<Uint8Array>;

// Most are shorter; statistics make some longer.
const HEADER_BYTES = 256;

interface Page {
  readonly header: PageHeader;
  readonly bytes: Uint8Array;
}

/**
 * Goes through the pages of a column that isn't repeated, where a page's values are its rows. The chunk is fetched a
 * window at a time, the next one while this one is in use.
 */
export class ChunkPages {
  readonly #read: ReadRange;
  readonly #end: number;
  readonly #windowBytes: number;
  readonly #rowCount: number;
  readonly #checksPages: boolean;
  /** Windows that aren't taken yet, or not all. */
  readonly #fetched: Uint8Array[] = [];
  #fetchedBytes = 0;
  #coming: Promise<Uint8Array> | undefined;
  /** Where in the file what is asked for next begins. */
  #next: number;
  #row = 0;
  #dictionary: Page | undefined;

  constructor(read: ReadRange, chunk: ByteRange, rowCount: number, windowBytes: number, checksPages = false) {
    this.#checksPages = checksPages;
    this.#read = read;
    this.#next = chunk.start;
    this.#end = chunk.end;
    this.#rowCount = rowCount;
    this.#windowBytes = windowBytes;
  }

  /**
   * The pages from where the last call ended up to the first that ends at row `until` or behind it; undefined where
   * earlier ones reached that far. Throws a RangeError for pages that don't make up the chunk, and what `read` throws.
   */
  async take(until: number): Promise<PageRun | undefined> {
    const firstRow = this.#row;
    if (firstRow >= until) return undefined;
    const pages: Page[] = [];
    let empty = 0;
    while (this.#row < until) {
      const page = await this.#nextPage();
      empty = page.header.valueCount === 0 ? empty + 1 : 0;
      if (empty > limits.MAX_EMPTY_PAGES) throw new RangeError("a column has nothing but empty pages");
      if (page.header.kind === "data") pages.push(page);
      else if (page.header.kind === "dictionary") this.#dictionary = page;
      this.#row += page.header.valueCount;
    }
    if (this.#row > this.#rowCount) throw new RangeError("a column has more values than its row group has rows");
    const all = this.#dictionary === undefined ? pages : [this.#dictionary, ...pages];
    return {
      firstRow,
      rowCount: this.#row - firstRow,
      pages: all.map(({ bytes }) => bytes),
      dictionaryBytes: this.#dictionary?.bytes.length ?? 0,
      uncompressedBytes: all.reduce((sum, { header }) => sum + header.headerBytes + header.uncompressedBytes, 0),
    };
  }

  async #nextPage(): Promise<Page> {
    const header = await this.#nextHeader();
    const length = header.headerBytes + header.bodyBytes;
    if (length > limits.MAX_PARQUET_PART_BYTES) throw new RangeError(`a page claims to have ${header.bodyBytes} bytes`);
    await this.#fetch(length);
    if (length > this.#fetchedBytes) throw new RangeError("a page goes beyond its column's data");
    const bytes = this.#peek(length);
    this.#drop(length);
    if (this.#checksPages) checkPage(header, bytes.subarray(header.headerBytes));
    return { header, bytes };
  }

  async #nextHeader(): Promise<PageHeader> {
    for (let length = HEADER_BYTES; ; length *= 2) {
      await this.#fetch(length);
      const bytes = this.#peek(Math.min(length, this.#fetchedBytes));
      try {
        return readPageHeader(bytes, 0);
      } catch (error) {
        // It may only be cut.
        if (bytes.length < length || !(error instanceof RangeError)) throw error;
      }
    }
  }

  /** Makes sure that `count` bytes are there, or all up to the chunk's end. */
  async #fetch(count: number): Promise<void> {
    while (this.#fetchedBytes < count) {
      const lacking = count - this.#fetchedBytes;
      const window = this.#coming ?? this.#ask(Math.max(lacking, this.#windowBytes));
      if (window === undefined) return;
      const bytes = await window;
      this.#fetched.push(bytes);
      this.#fetchedBytes += bytes.length;
      this.#coming = this.#ask(this.#windowBytes);
      // A failure is told when its turn comes.
      this.#coming?.catch(() => undefined);
    }
  }

  /** The next bytes of the file, fewer at the chunk's end and none behind it. */
  #ask(count: number): Promise<Uint8Array> | undefined {
    const start = this.#next;
    if (start === this.#end) return undefined;
    this.#next = Math.min(start + count, this.#end);
    return this.#read({ start, end: this.#next });
  }

  /** The first `count` bytes: a copy where they lie in several windows. */
  #peek(count: number): Uint8Array {
    const [first] = this.#fetched;
    return first !== undefined && first.length >= count
      ? first.subarray(0, count)
      : Buffer.concat(this.#fetched, count);
  }

  #drop(count: number): void {
    this.#fetchedBytes -= count;
    for (let left = count; left > 0; ) {
      const first = this.#fetched[0]!;
      if (first.length > left) this.#fetched[0] = first.subarray(left);
      else this.#fetched.shift();
      left -= first.length;
    }
  }
}
