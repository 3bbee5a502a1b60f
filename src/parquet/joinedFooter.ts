import { type ThriftField, ThriftWalker } from "./thrift.js";
import { ThriftWriter } from "./thriftWriter.js";

/** A struct as it was written: its fields by the ids that parquet.thrift gives them. */
export type Fields = ReadonlyMap<number, ThriftField>;

/** What a row group's description gets anew in the joined file. */
export interface MovedGroup {
  readonly fields: Fields;
  readonly chunks: readonly MovedChunk[];
  /** What its own file's offsets lack here. */
  readonly shift: number;
}

export interface MovedChunk {
  readonly fields: Fields;
  readonly columnIndex: Placed | undefined;
  readonly offsetIndex: Placed | undefined;
}

export interface Placed {
  readonly start: number;
  readonly length: number;
}

// Field ids of parquet.thrift.
export const FILE = { rowCount: 3, rowGroups: 4 } as const;
export const GROUP = { chunks: 1, rowCount: 3, fileOffset: 5, ordinal: 7 } as const;
export const CHUNK = {
  facts: 3,
  offsetIndexStart: 4,
  offsetIndexLength: 5,
  columnIndexStart: 6,
  columnIndexLength: 7,
} as const;
export const FACTS = { compressedBytes: 7, dataPage: 9, dictionaryPage: 11 } as const;
const OFFSET_INDEX = { pages: 1 } as const;
const PAGE = { offset: 1 } as const;

export function fieldsOf(struct: Uint8Array): Fields {
  return new ThriftWalker(struct).fields();
}

/** The elements of a list that is a field. */
export function elementsOf(fields: Fields, id: number): Uint8Array[] {
  const list = fields.get(id);
  return list === undefined ? [] : new ThriftWalker(list.value).elements();
}

/** A whole number that is a field. */
export function numberOf(fields: Fields, id: number): number | undefined {
  const field = fields.get(id);
  return field && numberIn(field.value);
}

/** The footer of a file with these row groups. What isn't of the row groups is as `first` says it. */
export function joinedFooter(first: Fields, groups: readonly MovedGroup[]): Uint8Array {
  const rowCount = groups.reduce((sum, { fields }) => sum + numberOf(fields, GROUP.rowCount)!, 0);
  const out = new ThriftWriter();
  out.struct(() =>
    out.copiedFields(first, {
      [FILE.rowCount]: () => out.i64Field(FILE.rowCount, rowCount),
      [FILE.rowGroups]: () =>
        out.structsField(FILE.rowGroups, [...groups.entries()], ([ordinal, group]) => writeGroup(out, group, ordinal)),
    }),
  );
  return out.finish();
}

function writeGroup(out: ThriftWriter, { fields, chunks, shift }: MovedGroup, ordinal: number): void {
  out.copiedFields(fields, {
    [GROUP.chunks]: () => out.structsField(GROUP.chunks, chunks, (chunk) => writeChunk(out, chunk, shift)),
    [GROUP.fileOffset]: (value) => out.i64Field(GROUP.fileOffset, numberIn(value) + shift),
    [GROUP.ordinal]: () => out.i16Field(GROUP.ordinal, ordinal),
  });
}

function writeChunk(out: ThriftWriter, { fields, columnIndex, offsetIndex }: MovedChunk, shift: number): void {
  const moved = (id: number) => (value: Uint8Array) => out.i64Field(id, numberIn(value) + shift);
  out.copiedFields(fields, {
    [CHUNK.facts]: (value) =>
      out.structField(CHUNK.facts, () =>
        out.copiedFields(fieldsOf(value), {
          [FACTS.dataPage]: moved(FACTS.dataPage),
          [FACTS.dictionaryPage]: moved(FACTS.dictionaryPage),
        }),
      ),
    [CHUNK.offsetIndexStart]: () => out.i64Field(CHUNK.offsetIndexStart, offsetIndex?.start),
    [CHUNK.offsetIndexLength]: () => out.i32Field(CHUNK.offsetIndexLength, offsetIndex?.length),
    [CHUNK.columnIndexStart]: () => out.i64Field(CHUNK.columnIndexStart, columnIndex?.start),
    [CHUNK.columnIndexLength]: () => out.i32Field(CHUNK.columnIndexLength, columnIndex?.length),
  });
}

/** An offset index whose pages have moved by `shift`. */
export function movedOffsetIndex(index: Uint8Array, shift: number): Uint8Array {
  const fields = fieldsOf(index);
  const pages = elementsOf(fields, OFFSET_INDEX.pages).map(fieldsOf);
  const out = new ThriftWriter();
  out.struct(() =>
    out.copiedFields(fields, {
      [OFFSET_INDEX.pages]: () =>
        out.structsField(OFFSET_INDEX.pages, pages, (page) =>
          out.copiedFields(page, {
            [PAGE.offset]: (value) => out.i64Field(PAGE.offset, numberIn(value) + shift),
          }),
        ),
    }),
  );
  return out.finish();
}

export function numberIn(value: Uint8Array): number {
  return new ThriftWalker(value).zigzag();
}
