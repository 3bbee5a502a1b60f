import type { ObjectStore } from "../../storage/store.js";
import type { ArchiveEntry } from "./archive.js";
import type { InputStream } from "./inputStream.js";

/** How files that hold rows are written. */
export type SourceFormat = "csv" | "jsonl" | "parquet" | "arrow";

export type SourceCompression = "none" | "gzip" | "zstd";

/** What tells one content of a file from another without reading it. */
export interface SourceIdentity {
  /** 0 for a stream. */
  readonly sizeBytes: number;
  /** 0 for a stream. */
  readonly modifiedMs: number;
  /** Of object stores only. */
  readonly etag?: string | undefined;
}

/** A file that a load reads. */
export interface SourceFile {
  /**
   * What a job's progress and people call it: an absolute path or a URL; of a file in an archive `…/archive.zip#name`; of a
   * stream `stream:name`.
   */
  readonly url: string;
  readonly store: ObjectStore;
  /** In the store; of a file in an archive the archive's. */
  readonly path: string;
  /** The file in the archive at `path`, where that is one. */
  readonly entry?: ArchiveEntry | undefined;
  /** Where the bytes come from, instead of the store, if they come once only: the standard input. */
  readonly stream?: InputStream | undefined;
  readonly format: SourceFormat;
  /** As the name tells; the bytes have the last word when they are opened. */
  readonly compression: SourceCompression;
  /** Between values of a CSV file, where the name tells it (`.tsv`). */
  readonly delimiter?: string | undefined;
  /** Of the stored file; of a file in an archive the archive's. */
  readonly identity: SourceIdentity;
}

/** Where reading of a file's bytes can begin again. It is kept in a job's progress as JSON. */
export interface BytePosition {
  /** Offset in the stored file at which decoding can begin: any byte of a plain file, else the start of a member, frame or entry. */
  readonly stored: number;
  /** Decompressed bytes from there to the position: 0 in a plain file. */
  readonly decoded: number;
}

/** The bytes of a file from a position on: decompressed, as UTF-8 where it holds text, without a byte order mark. */
export interface ByteReader extends AsyncDisposable {
  /** The next bytes, of any length but 0; undefined at the end. They are not to be changed or transferred. */
  read(signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Gives back what {@link ByteReader.read} gave, all of it: other bytes may take its place. Spares large files much memory that comes and goes. */
  release(bytes: Uint8Array): void;
  /**
   * The position of the byte that comes `offset` bytes after the one this reader began with; within UTF-8 text a character's first
   * byte. Offsets are asked for in order and only of bytes read.
   */
  positionAt(offset: number): BytePosition;
  /** Bytes of the stored file read by this reader so far; for progress, and for how much a resumed load reads again. */
  readonly storedBytesRead: number;
}
