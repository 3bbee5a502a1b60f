import { DeltaError, hasCode } from "../errors.js";
import type { StructType } from "../schema/types.js";
import type { Format, ParseOptions, RecordPosition, RecordReader, RecordSlice, SourceShape } from "./format/format.js";
import { formats } from "./format/formats.js";
import type { PendingFile } from "./pendingFiles.js";
import type { SourceFile } from "./source/source.js";

/** A file that is being read. */
export interface OpenFile {
  readonly file: SourceFile;
  readonly reader: RecordReader;
  /** The file's own columns. */
  readonly columns: StructType;
  /** JSON: how it is parsed. */
  readonly parser: string;
  /** Where its next record begins; undefined before the first. */
  readonly position: RecordPosition | undefined;
  /** Stored bytes that the records before it came from, from the file's beginning on. */
  readonly storedBytes: number;
  /** Of the stored file: where reading began, and what was read since. */
  readonly openedAt: number;
  readonly readBytes: number;
}

/** What is known of the files of a job, by their format. */
export type Shapes = { readonly [kind: string]: SourceShape };

/** Opens files in the way that a job opened the first one of their kind. */
export class FileOpener {
  readonly #options: ParseOptions;
  readonly #chunkBytes: number | undefined;
  readonly #schema: () => StructType | undefined;
  #shapes: Shapes;
  readonly #looking = new Map<string, Promise<SourceShape>>();

  /** `schema` is what names the columns of files that don't do so themselves; `chunkBytes` are read at once. */
  constructor(options: ParseOptions, shapes: Shapes, schema: () => StructType | undefined, chunkBytes?: number) {
    this.#options = options;
    this.#shapes = shapes;
    this.#chunkBytes = chunkBytes;
    this.#schema = schema;
  }

  get shapes(): Shapes {
    return this.#shapes;
  }

  /** Throws `DELTA_CANNOT_INFER_SCHEMA`, `DELTA_INPUT_UNREADABLE`, `DELTA_FILE_NOT_FOUND` … */
  async open({ file, from, storedBytes }: PendingFile): Promise<OpenFile> {
    const format = await formats[file.format]();
    const shape = await this.#shapeOf(file, format);
    const reader = await format.open(file, from, shape, this.#options, { chunkBytes: this.#chunkBytes });
    const { columns } = reader;
    const names = columns.fields.map(({ name }) => name);
    const parser = JSON.stringify({
      format: file.format,
      dialect: shape.dialect,
      options: this.#options,
      columns: names,
    });
    const openedAt = from?.bytes?.stored ?? 0;
    return { file, reader, columns, parser, position: from, storedBytes, openedAt, readBytes: 0 };
  }

  async #shapeOf(file: SourceFile, format: Format): Promise<SourceShape> {
    const kind = `${file.format}${file.delimiter === undefined ? "" : ` ${JSON.stringify(file.delimiter)}`}`;
    const known = this.#shapes[kind];
    if (known !== undefined) return known;
    // Of files that are opened side by side the first one decides.
    const looking = this.#looking.get(kind) ?? this.#lookAt(file, format, kind);
    this.#looking.set(kind, looking);
    try {
      return await looking;
    } finally {
      this.#looking.delete(kind);
    }
  }

  async #lookAt(file: SourceFile, format: Format, kind: string): Promise<SourceShape> {
    const schema = this.#schema();
    const found = await format.shape(file, this.#options).catch((error: unknown) => {
      // It shows nothing, or too much.
      const isDoubtful = hasCode(error, "DELTA_CANNOT_INFER_SCHEMA") || hasCode(error, "DELTA_LIMIT_EXCEEDED");
      if (schema === undefined || file.format !== "jsonl" || !isDoubtful) throw error;
      return { dialect: {}, schema };
    });
    const shape = this.#options.header === false ? named(found, schema) : shown(found, schema);
    this.#shapes = { ...this.#shapes, [kind]: shape };
    return shape;
  }
}

function named(shape: SourceShape, schema: StructType | undefined): SourceShape {
  if (schema === undefined) return shape;
  const fields = shape.schema.fields.map((field, index) => schema.fields[index] ?? field);
  return { ...shape, schema: { type: "struct", fields } };
}

/** A table that is there isn't given columns that show no value. */
function shown({ dialect, schema, unshown = [] }: SourceShape, table: StructType | undefined): SourceShape {
  const fields = table === undefined ? schema.fields : schema.fields.filter(({ name }) => !unshown.includes(name));
  return { dialect, schema: { type: "struct", fields } };
}

/** The file after a slice of it was read. */
export function movedOn(open: OpenFile, slice: RecordSlice): OpenFile {
  const read = { ...open, position: slice.end, readBytes: open.readBytes + slice.storedBytes };
  return { ...read, storedBytes: storedBytesAt(read) };
}

/** Formats without byte positions keep what tells their rows at the end: a change anywhere is a change of the whole. */
function storedBytesAt({ file, position, storedBytes, openedAt, readBytes }: OpenFile): number {
  const { identity, stream, entry } = file;
  const at = position?.bytes;
  if (at === undefined || entry !== undefined) return identity.sizeBytes;
  if (at.decoded === 0) return at.stored;
  const read = openedAt + readBytes;
  return Math.max(storedBytes, stream === undefined ? Math.min(identity.sizeBytes, read) : read);
}

/** Decoded bytes of a slice, about. */
export function decodedBytes({ start, end, storedBytes, decodedBytes }: RecordSlice): number {
  if (decodedBytes !== undefined) return decodedBytes;
  const [from, to] = [start.bytes, end.bytes];
  if (to === undefined || from === undefined) return storedBytes * USUAL_RATIO;
  if (to.stored === from.stored) return to.decoded - from.decoded;
  return to.decoded === 0 && from.decoded === 0 ? to.stored - from.stored : storedBytes * USUAL_RATIO;
}

/** Decoded bytes that are left of a file, about. */
export function expectedBytes({ file, storedBytes }: OpenFile): number {
  const isPlain =
    file.compression === "none" && file.entry === undefined && (file.format === "csv" || file.format === "jsonl");
  return Math.max(0, file.identity.sizeBytes - storedBytes) * (isPlain ? 1 : USUAL_RATIO);
}

/** Stored bytes that a slice moves on by: of a plain file those of its records, else what was read for them. */
export function storedBytesOf({ start, end, storedBytes }: RecordSlice): number {
  if (end.bytes === undefined || end.bytes.decoded > 0 || (start.bytes?.decoded ?? 0) > 0) return storedBytes;
  return end.bytes.stored - (start.bytes?.stored ?? 0);
}

/** How much larger than a compressed file its content usually is. */
const USUAL_RATIO = 4;

/** Throws `DELTA_SCHEMA_MISMATCH` for columns of a file that its table lacks. */
export function unknownColumns(file: SourceFile, columns: readonly string[]): DeltaError {
  return new DeltaError(
    "DELTA_SCHEMA_MISMATCH",
    `${file.url} has columns that the table lacks: ${columns.join(", ")}. Choose: mergeSchema adds them; rescuedDataColumn keeps their values, as JSON, in a column of its own.`,
    { file: file.url, columns },
  );
}
