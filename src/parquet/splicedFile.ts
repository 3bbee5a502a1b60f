import { FieldRepetitionTypes, ParquetTypes } from "hyparquet/src/constants.js";
import type { Footer } from "./footer.js";
import { CHUNK, elementsOf, FACTS, FILE, type Fields, fieldsOf, GROUP, numberOf } from "./joinedFooter.js";
import { ThriftWriter } from "./thriftWriter.js";

/** A file of one row group with new chunks of some columns, which takes the place of theirs in a row group of an older file. */
export interface NewChunks {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  /** By column; where the chunk's pages are in `bytes`, and what the file says of it. */
  readonly chunks: ReadonlyMap<string, NewChunk>;
}

interface NewChunk {
  readonly fields: Fields;
  readonly facts: Fields;
  readonly start: number;
  readonly end: number;
  readonly element: Fields;
}

/** Bytes of the older file, or of the new chunks of a row group. */
export interface Piece {
  readonly of: "old" | NewChunks;
  readonly start: number;
  readonly end: number;
}

/** A file in the making: the pieces, behind the magic number, and what follows them. */
export interface SplicedFile {
  readonly pieces: readonly Piece[];
  readonly end: Uint8Array;
}

// Field ids of parquet.thrift beside those of joinedFooter.ts.
const SCHEMA = 2;
const ELEMENT = { type: 1, typeLength: 2, repetition: 3, name: 4 } as const;
const GROUP_SIZES = { bytes: 2, sorting: 4, compressedBytes: 6 } as const;
const FILE_OFFSET = 2;
const SIZES = { bytes: 6, indexPage: 10, bloomStart: 14, bloomLength: 15 } as const;
const END_BYTES = 8;
export const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31); // "PAR1"

/** The row group of a file that DuckDB wrote; undefined where it hasn't one exactly. */
export function newChunks(bytes: Uint8Array): NewChunks | undefined {
  const footer = fieldsOf(thriftOf(bytes));
  const groups = elementsOf(footer, FILE.rowGroups).map(fieldsOf);
  if (groups.length !== 1) return undefined;
  const [, ...elements] = elementsOf(footer, SCHEMA).map(fieldsOf);
  const chunks = elementsOf(groups[0]!, GROUP.chunks).map((chunk, i) => {
    const fields = fieldsOf(chunk);
    const facts = fieldsOf(fields.get(CHUNK.facts)!.value);
    const start = numberOf(facts, FACTS.dictionaryPage) || numberOf(facts, FACTS.dataPage)!;
    const end = start + numberOf(facts, FACTS.compressedBytes)!;
    return [nameOf(elements[i]!), { fields, facts, start, end, element: elements[i]! }] as const;
  });
  return { bytes, rowCount: numberOf(groups[0]!, GROUP.rowCount)!, chunks: new Map(chunks) };
}

/**
 * A file with new chunks of some top-level columns, one file of them for each row group that has rows, and all the rest as it is: the bytes of the other
 * chunks, the schema, what the footer says of them and beside. Page indexes and Bloom filters aren't taken over. `end` are the older
 * file's last bytes, with all of its footer. Undefined where a column is stored in another way than its new chunks.
 */
export function splicedFile(footer: Footer, end: Uint8Array, groups: readonly NewChunks[]): SplicedFile | undefined {
  const fields = fieldsOf(thriftOf(end));
  const old = elementsOf(fields, FILE.rowGroups).map(fieldsOf);
  const full = footer.rowGroups.flatMap((group, i) => (group.rowCount > 0 ? [{ ...group, fields: old[i]! }] : []));
  if (full.length !== groups.length) return undefined;
  const pieces: Piece[] = [];
  const out = new ThriftWriter();
  let position = MAGIC.length;
  let fits = true;

  const placed = full.map(({ rowCount, chunks, fields: group }, i) => {
    const anew = groups[i]!;
    fits &&= anew.rowCount === rowCount;
    const start = position;
    let [bytes, compressedBytes] = [0, 0];
    const raw = elementsOf(group, GROUP.chunks).map(fieldsOf);
    const moved = chunks.map((chunk, leaf) => {
      const { path, element } = footer.leaves[leaf]!;
      const other = path.length === 1 ? anew.chunks.get(path[0]!) : undefined;
      fits &&= other === undefined || isStoredAlike(element, other.element);
      const from = other ?? chunk;
      const size = from.end - from.start;
      push(pieces, { of: other ? anew : "old", start: from.start, end: from.end });
      bytes += other ? numberOf(other.facts, SIZES.bytes)! : chunk.uncompressedBytes;
      compressedBytes += size;
      const shift = position - from.start;
      position += size;
      return { fields: other?.fields ?? raw[leaf]!, shift };
    });
    return { group, moved, start, bytes, compressedBytes };
  });
  if (!fits) return undefined;

  out.struct(() =>
    out.copiedFields(fields, {
      [FILE.rowCount]: () => out.i64Field(FILE.rowCount, footer.rowCount),
      [FILE.rowGroups]: () =>
        out.structsField(FILE.rowGroups, [...placed.entries()], ([ordinal, { group, moved, start, ...sizes }]) =>
          out.copiedFields(group, {
            [GROUP.chunks]: () =>
              out.structsField(GROUP.chunks, moved, ({ fields, shift }) => writeChunk(out, fields, shift)),
            [GROUP_SIZES.bytes]: () => out.i64Field(GROUP_SIZES.bytes, sizes.bytes),
            [GROUP_SIZES.sorting]: () => undefined,
            [GROUP.fileOffset]: () => out.i64Field(GROUP.fileOffset, start),
            [GROUP_SIZES.compressedBytes]: () => out.i64Field(GROUP_SIZES.compressedBytes, sizes.compressedBytes),
            [GROUP.ordinal]: () => out.i16Field(GROUP.ordinal, ordinal),
          }),
        ),
    }),
  );
  const written = out.finish();
  const tail = new Uint8Array(written.length + END_BYTES);
  tail.set(written);
  new DataView(tail.buffer).setUint32(written.length, written.length, true);
  tail.set(MAGIC, written.length + 4);
  return { pieces, end: tail };
}

function writeChunk(out: ThriftWriter, fields: Fields, shift: number): void {
  const moved = (id: number, facts: Fields) => () => {
    const offset = numberOf(facts, id)!;
    // Some writers give 0 where there is no dictionary.
    out.i64Field(id, offset === 0 ? 0 : offset + shift);
  };
  const nothing = () => undefined;
  out.copiedFields(fields, {
    [FILE_OFFSET]: () => out.i64Field(FILE_OFFSET, 0),
    [CHUNK.facts]: (value) => {
      const facts = fieldsOf(value);
      out.structField(CHUNK.facts, () =>
        out.copiedFields(facts, {
          [FACTS.dataPage]: moved(FACTS.dataPage, facts),
          [FACTS.dictionaryPage]: moved(FACTS.dictionaryPage, facts),
          [SIZES.indexPage]: nothing,
          [SIZES.bloomStart]: nothing,
          [SIZES.bloomLength]: nothing,
        }),
      );
    },
    [CHUNK.offsetIndexStart]: nothing,
    [CHUNK.offsetIndexLength]: nothing,
    [CHUNK.columnIndexStart]: nothing,
    [CHUNK.columnIndexLength]: nothing,
  });
}

/** Whether pages of the one may take the place of the other's. What their values mean is the caller's business. */
function isStoredAlike(old: Footer["root"]["element"], element: Fields): boolean {
  return (
    ParquetTypes.indexOf(old.type!) === numberOf(element, ELEMENT.type) &&
    (old.type_length ?? 0) === (numberOf(element, ELEMENT.typeLength) ?? 0) &&
    FieldRepetitionTypes.indexOf(old.repetition_type!) === numberOf(element, ELEMENT.repetition)
  );
}

/** Neighbours are one piece. */
function push(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  if (last?.of === piece.of && last.end === piece.start) pieces[pieces.length - 1] = { ...last, end: piece.end };
  else pieces.push(piece);
}

/** A text's length is in front of it, in as many bytes as it takes. */
function nameOf(element: Fields): string {
  const { value } = element.get(ELEMENT.name)!;
  let start = 0;
  while (value[start]! >= 128) start++;
  return new TextDecoder().decode(value.subarray(start + 1));
}

function thriftOf(end: Uint8Array): Uint8Array {
  const length = new DataView(end.buffer, end.byteOffset + end.length - END_BYTES, END_BYTES).getUint32(0, true);
  return end.subarray(end.length - END_BYTES - length, -END_BYTES);
}
