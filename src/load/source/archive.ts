/** A file in a zip archive, as the archive's directory has it. */
export interface ArchiveEntry {
  readonly name: string;
  /** Of its header in the archive. */
  readonly offset: number;
  /** Where the next header in the archive begins, at the latest. */
  readonly end: number;
  /** How it is compressed: 0 not at all, 8 deflate. */
  readonly method: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly crc32: number;
}
