import type { RecordBatch } from "apache-arrow";
import type { StructType } from "../../schema/types.js";
import type { BrokenRow, LeftOut } from "../../write/rowRules.js";
import type { Json } from "../progress.js";
import type { BytePosition, SourceFile } from "../source/source.js";

/** How far into a file a load is: where its next record begins. It is kept in the job's progress as JSON. */
export interface RecordPosition {
  /** Records before it; a header is none. */
  readonly record: number;
  /** Of text formats: where the record begins, and how many lines come before it, a header's included. */
  readonly bytes?: BytePosition;
  readonly line?: number;
  /** Of text formats: decoded bytes before it. */
  readonly offset?: number;
  /** Of formats that are read by groups of rows: the group it is in. `record` tells which of its rows. */
  readonly group?: number;
}

/** How a source's files are written and what is in them. Found out once for a job and kept in its progress. */
export interface SourceShape {
  /** Of a CSV file: delimiter, quote, escape, header, date formats …; empty for other formats. */
  readonly dialect: { readonly [option: string]: Json };
  /**
   * The columns and their types, as far as the beginning of the first file shows. Those of a CSV file without a header are called
   * column0, column1 …: whoever knows better puts other fields here, in the same order, before the shape is used.
   */
  readonly schema: StructType;
  /** Columns of the schema in which only nulls were seen: a table that is there need not have them. */
  readonly unshown?: readonly string[];
}

/** Why a record isn't loaded. */
export type BadRecordCode =
  /** It can't be taken apart: quotes, the number of fields, no JSON, wrong encoding, too long. */
  | "PARSE"
  /** A value isn't one of its column's type. */
  | "TYPE"
  /** It has a column that the table lacks. */
  | "UNKNOWN_COLUMN"
  /** Null in a column that must not be null, or another rule of the table broken. */
  | "CONSTRAINT";

export interface BadRecord {
  readonly code: BadRecordCode;
  /** For people. */
  readonly reason: string;
  /** 0-based, in its file. */
  readonly record: number;
  /** 1-based; of text formats. */
  readonly line?: number;
  /** Where its raw text begins in the decoded file; of text formats. */
  readonly byteOffset?: number;
  readonly column?: string;
  /** The record as it is in the file, without its line end; as JSON where the format isn't text. */
  readonly raw: Uint8Array;
}

/** Where parsed records go. All of it belongs to one commit. */
export interface RecordSink {
  /** The table's schema, which the rows have; but columns that the table fills may be null. */
  readonly schema: StructType;
  /**
   * Adds to the schema what columns have beside it, nested ones too; false where there is nothing of that. Undefined where the table gets no
   * new columns.
   */
  readonly addColumns?: ((columns: StructType) => Promise<boolean>) | undefined;
  /** True where whole Parquet files are taken: the table has no partitions, and Parquet as DuckDB writes it serves its properties. */
  readonly takesParquet: boolean;
  /**
   * Takes rows in the schema. Those that break a rule of the table aren't taken but given back, in their order: they are the caller's to
   * reject. `leftOut` tells which rows leave out columns that the table fills.
   */
  write(batch: RecordBatch, leftOut?: LeftOut): Promise<readonly BrokenRow[]>;
  /** Columns that rows may leave out. */
  readonly filled: ReadonlySet<string>;
  /** A local Parquet file of rows in the table's schema; the sink copies or moves it, and finds out its statistics. */
  writeParquet(localPath: string, rowCount: number): Promise<void>;
  reject(record: BadRecord): Promise<void>;
}

/** Whole records that follow each other in a file, read but not parsed. */
export interface RecordSlice {
  readonly start: RecordPosition;
  readonly end: RecordPosition;
  /** True where the file ends with it. */
  readonly isLast: boolean;
  readonly recordCount: number;
  /** Stored bytes of the file that were read for it. */
  readonly storedBytes: number;
  /** What its records take unpacked, where positions don't tell. */
  readonly decodedBytes?: number;
  /**
   * Parses all records into the sink. Each of them becomes one row or one bad record: the sink gets `recordCount` of them
   * together, or it throws. May be called while the next slice is read.
   */
  parse(sink: RecordSink, signal?: AbortSignal): Promise<void>;
  /**
   * Parses it and after it slices of other files that are written in the same way, each into its sink. It costs less where there are many
   * small ones. Rows may go to any of the sinks.
   */
  parseWith?(sink: RecordSink, others: readonly SinkedSlice[], signal?: AbortSignal): Promise<void>;
}

/** A slice and where its records go. */
export interface SinkedSlice {
  readonly slice: RecordSlice;
  readonly sink: RecordSink;
}

/** A file of records from a position on. */
export interface RecordReader extends AsyncDisposable {
  /**
   * The next records, of about `maxBytes` decoded bytes at most, one record at least (a record may be larger than that, up to the
   * format's limit); undefined at the file's end.
   */
  next(maxBytes: number, signal?: AbortSignal): Promise<RecordSlice | undefined>;
}

/** What a person says about a source; what isn't said is found out. It is kept in the job's progress and may not change. */
export interface ParseOptions {
  readonly delimiter?: string;
  readonly quote?: string;
  readonly escape?: string;
  /** False where the first line is a record already; the columns are then the schema's in order. Default true. */
  readonly header?: boolean;
  /** Texts that stand for null. Default: the empty value, unless quoted. */
  readonly nullValues?: readonly string[];
  /** `utf-8` (default), `utf-16le`, `utf-16be`, `latin1`, `windows-1252`. A byte order mark decides where there is one. */
  readonly encoding?: string;
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
  /** A column that takes, as JSON, what doesn't fit the table of a record, which then is no bad record. */
  readonly rescuedDataColumn?: string;
}

/** How a file's bytes are read. */
export interface ReadingOptions {
  /** Of the stored file, at once; a few of these are read ahead of the records. */
  readonly chunkBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A format of source files. */
export interface Format {
  /** Looks at the beginning of a file. Throws DELTA_INPUT_UNREADABLE, DELTA_CANNOT_INFER_SCHEMA. */
  shape(file: SourceFile, options: ParseOptions, signal?: AbortSignal): Promise<SourceShape>;
  /**
   * Opens a file at a position, or at its first record. `columns` of the reader are the file's own (its header's, its schema's):
   * those that `schema` lacks are told before anything is parsed.
   */
  open(
    file: SourceFile,
    from: RecordPosition | undefined,
    shape: SourceShape,
    options: ParseOptions,
    reading?: ReadingOptions,
  ): Promise<RecordReader & { readonly columns: StructType }>;
}
