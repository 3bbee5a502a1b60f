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
 * It takes files of this package's encoder and of DuckDB: they are taken to be right, and to have no Bloom filters.
 */
export class JoinedFile {
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  #first: Fields = new Map();
  readonly #groups: Group[] = [];

  /** Takes the next file, one at least. Its bytes aren't copied, and must not change. */
  add(file: Uint8Array): void {
    const footerStart = footerStartOf(file);
    const indexAt = (start = 0, length = 0) => (length === 0 ? undefined : file.subarray(start, start + length));
    const footer = fieldsOf(file.subarray(footerStart, -END_BYTES));
    const chunksEnd = this.#addGroups(footer, indexAt);
    // All files begin with the magic number; only the first one's stays.
    this.#append(file.subarray(this.#length === 0 ? 0 : MAGIC.length, chunksEnd));
  }

  /** Takes row groups as a file would have them behind its magic number: their bytes in parts, and the footer of that file. */
  addParts(parts: readonly Uint8Array[], footer: Uint8Array): void {
    this.#addGroups(fieldsOf(footer), () => undefined);
    if (this.#length === 0) this.#append(MAGIC);
    for (const part of parts) this.#append(part);
  }

  /** Where the last chunk of these row groups ends in their file. */
  #addGroups(
    footer: Fields,
    indexAt: (start: number | undefined, length: number | undefined) => Uint8Array | undefined,
  ): number {
    if (this.#groups.length === 0) this.#first = footer;
    const groups = elementsOf(footer, FILE.rowGroups).map(fieldsOf);
    const chunksOf = groups.map((group) => elementsOf(group, GROUP.chunks).map(fieldsOf));
    const chunksEnd = Math.max(MAGIC.length, ...chunksOf.flat().map(endOf));
    const start = this.#length === 0 ? 0 : MAGIC.length;
    const shift = this.#length - start;
    for (const [i, fields] of groups.entries()) {
      const chunks = chunksOf[i]!.map((chunk) => ({
        fields: chunk,
        columnIndex: indexAt(numberOf(chunk, CHUNK.columnIndexStart), numberOf(chunk, CHUNK.columnIndexLength)),
        offsetIndex: indexAt(numberOf(chunk, CHUNK.offsetIndexStart), numberOf(chunk, CHUNK.offsetIndexLength)),
      }));
      this.#groups.push({ fields, chunks, shift });
    }
    return chunksEnd;
  }

  /** The joined file's bytes, in parts; the last one has all of the footer. Nothing can be added any more. */
  finish(): Uint8Array[] {
    const chunkParts = this.#parts.length;
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
    const end = new Uint8Array(footer.length + END_BYTES);
    end.set(footer);
    new DataView(end.buffer).setUint32(footer.length, footer.length, true);
    end.set(MAGIC, footer.length + 4);
    this.#append(end);
    return [...this.#parts.slice(0, chunkParts), Buffer.concat(this.#parts.slice(chunkParts))];
  }

  #place(bytes: Uint8Array | undefined): Placed | undefined {
    if (bytes === undefined) return undefined;
    const start = this.#length;
    this.#append(bytes);
    return { start, length: bytes.length };
  }

  #append(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }
}

/** The row count in a Parquet file's footer; `end` are the file's last bytes, with all of the footer. */
export function rowCountOf(end: Uint8Array): number | undefined {
  return numberOf(fieldsOf(end.subarray(footerStartOf(end), -END_BYTES)), FILE.rowCount);
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
