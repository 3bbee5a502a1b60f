import type { ObjectStore } from "../../storage/store.js";

/** How files that hold rows are written. */
export type SourceFormat = "csv" | "jsonl" | "parquet" | "arrow";

export type SourceCompression = "none" | "gzip" | "zstd";

/** What tells one content of a file from another without reading it. */
export interface SourceIdentity {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Of object stores only. */
  readonly etag?: string | undefined;
}

/** A file that a load reads. */
export interface SourceFile {
  /** What a job's progress and people call it: an absolute path or a URL; of a file in an archive `…/archive.zip#name`. */
  readonly url: string;
  readonly store: ObjectStore;
  /** In the store; of a file in an archive the archive's. */
  readonly path: string;
  /** The name of the file in the archive at `path`, where that is one. */
  readonly entry?: string | undefined;
  readonly format: SourceFormat;
  readonly compression: SourceCompression;
  /** Of the stored file; of a file in an archive the archive's. */
  readonly identity: SourceIdentity;
}

/** Where reading of a file's bytes can begin again. It is kept in a job's progress as JSON. */
export interface BytePosition {
  /** Offset in the stored file at which decoding can begin: any byte of a plain file, else the start of a member, frame or entry. */
  readonly stored: number;
  /** Decoded bytes from there to the position: 0 in a plain file. */
  readonly decoded: number;
}

/** The bytes of a file from a position on: decompressed, as UTF-8 where it holds text, without a byte order mark. */
export interface ByteReader extends AsyncDisposable {
  /** The next bytes, of any length but 0; undefined at the end. */
  read(signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /**
   * The position of the byte that comes `offset` bytes after the one this reader began with. Offsets are asked for in order and
   * only of bytes read.
   */
  positionAt(offset: number): BytePosition;
  /** Bytes of the stored file read by this reader so far; for progress, and for how much a resumed load reads again. */
  readonly storedBytesRead: number;
}
