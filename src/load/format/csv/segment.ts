import type { RecordSink } from "../format.js";
import type { TemporaryFile } from "../temporaryFile.js";

/** Where records are in their file. */
export interface RecordPlace {
  /** Records before it. */
  readonly record: number;
  /** 1-based. */
  readonly line: number;
  /** In the decoded file. */
  readonly byteOffset: number;
}

/** Whole records that follow each other, in a temporary file of their own, as they are in the source. */
export interface Segment {
  readonly file: TemporaryFile;
  readonly sizeBytes: number;
  readonly recordCount: number;
  /** Of its first byte. */
  readonly place: RecordPlace;
  /** Of its longest record. */
  readonly recordBytes: number;
  /** Kinds of line ends behind its records. */
  readonly lineEnds: number;
}

/** A segment and what takes its bad records. */
export interface SinkedSegment extends Segment {
  readonly sink: Pick<RecordSink, "reject">;
}

/** A record of which no end was found, up to the end of its first line. */
export interface BrokenRecord {
  readonly place: RecordPlace;
  readonly reason: string;
  readonly raw: Uint8Array;
}
