import {
  CHUNK,
  elementsOf,
  FACTS,
  FILE,
  type Fields,
  fieldsOf,
  GROUP,
  joinedFooter,
  movedOffsetIndex,
  numberOf,
  type Placed,
} from "./joinedFooter.js";

/** A row group as its own file describes it. */
interface Group {
  readonly fields: Fields;
  readonly chunks: readonly Chunk[];
  /** What is to be added to its offsets. */
  readonly shift: number;
}

interface Chunk {
  readonly fields: Fields;
  readonly columnIndex: Uint8Array | undefined;
  readonly offsetIndex: Uint8Array | undefined;
}

const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31); // "PAR1"
/** The footer's length and the magic number. */
const END_BYTES = 8;

/**
 * Parquet files of one schema, joined to one: their column chunks as they are, one after the other, and a footer with the
 * row groups of all. Whatever is said of chunks and pages stays, statistics and page indexes too, with offsets moved;
 * of the file it is said what the first one says. Laid out as the encoder does it: all chunks, all column indexes,
 * all offset indexes, the footer.
 *
 * It takes files of this package's encoder only: they are taken to be right, and to have no Bloom filters.
 */
export class JoinedFile {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #first: Fields = new Map();
  readonly #groups: Group[] = [];

  /** @param expectedBytes - about how large it will get. What isn't needed of that takes no memory. */
  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes);
    this.#append(MAGIC);
  }

  /** Takes the next file, one at least. Nothing of its buffer is held on to. */
  add(file: Uint8Array): void {
    const footerStart = footerStartOf(file);
    const footer = fieldsOf(file.slice(footerStart, -END_BYTES));
    if (this.#groups.length === 0) this.#first = footer;
    const groups = elementsOf(footer, FILE.rowGroups).map(fieldsOf);
    const chunksOf = groups.map((group) => elementsOf(group, GROUP.chunks).map(fieldsOf));
    const chunksEnd = Math.max(MAGIC.length, ...chunksOf.flat().map(endOf));
    const indexes = file.slice(chunksEnd, footerStart);
    const indexAt = (start = 0, length = 0) =>
      length === 0 ? undefined : indexes.subarray(start - chunksEnd, start - chunksEnd + length);
    const shift = this.#length - MAGIC.length;
    for (const [i, fields] of groups.entries()) {
      const chunks = chunksOf[i]!.map((chunk) => ({
        fields: chunk,
        columnIndex: indexAt(numberOf(chunk, CHUNK.columnIndexStart), numberOf(chunk, CHUNK.columnIndexLength)),
        offsetIndex: indexAt(numberOf(chunk, CHUNK.offsetIndexStart), numberOf(chunk, CHUNK.offsetIndexLength)),
      }));
      this.#groups.push({ fields, chunks, shift });
    }
    this.#append(file.subarray(MAGIC.length, chunksEnd));
  }

  /** The joined file. Nothing can be added any more. */
  finish(): Uint8Array<ArrayBuffer> {
    const columnIndexes = this.#groups.map(({ chunks }) => chunks.map(({ columnIndex }) => this.#place(columnIndex)));
    const offsetIndexes = this.#groups.map(({ chunks, shift }) =>
      chunks.map(({ offsetIndex }) => this.#place(offsetIndex && movedOffsetIndex(offsetIndex, shift))),
    );
    const groups = this.#groups.map(({ fields, chunks, shift }, i) => ({
      fields,
      shift,
      chunks: chunks.map((chunk, j) => ({
        fields: chunk.fields,
        columnIndex: columnIndexes[i]![j],
        offsetIndex: offsetIndexes[i]![j],
      })),
    }));
    const footer = joinedFooter(this.#first, groups);
    this.#append(footer);
    const end = new Uint8Array(END_BYTES);
    new DataView(end.buffer).setUint32(0, footer.length, true);
    end.set(MAGIC, 4);
    this.#append(end);
    return this.#bytes.subarray(0, this.#length);
  }

  #place(bytes: Uint8Array | undefined): Placed | undefined {
    if (bytes === undefined) return undefined;
    const start = this.#length;
    this.#append(bytes);
    return { start, length: bytes.length };
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }
}

/** The row count in a Parquet file's footer. */
export function rowCountOf(file: Uint8Array): number | undefined {
  return numberOf(fieldsOf(file.subarray(footerStartOf(file), -END_BYTES)), FILE.rowCount);
}

function footerStartOf(file: Uint8Array): number {
  const end = new DataView(file.buffer, file.byteOffset + file.length - END_BYTES, END_BYTES);
  return file.length - END_BYTES - end.getUint32(0, true);
}

/** Where a chunk's pages end. */
function endOf(chunk: Fields): number {
  const facts = fieldsOf(chunk.get(CHUNK.facts)!.value);
  const start = numberOf(facts, FACTS.dictionaryPage) ?? numberOf(facts, FACTS.dataPage)!;
  return start + numberOf(facts, FACTS.compressedBytes)!;
}
