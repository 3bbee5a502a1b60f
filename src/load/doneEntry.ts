import { createHash } from "node:crypto";
import type { SourceIdentity } from "./source/source.js";

/** What is kept of a file that was read to its end. */
export interface DoneEntry {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The first 32 bits of the etag's SHA-256; 0 where the file has none. */
  readonly etagHash: number;
  /** 64 bits that stand for the file's first and last bytes, in hexadecimal. */
  readonly contentHash: string;
  readonly records: number;
  /** Of text files; else 0. */
  readonly lines: number;
}

/** How many bytes of a file's key begin an entry. */
export const KEY_BYTES = 12;

/** Key, size, time, etag, content, records, lines. */
export const ENTRY_BYTES = KEY_BYTES + 6 + 6 + 4 + 8 + 6 + 6;

/** 96 bits that stand for a file's name: two of a million files are taken for one in 1 of 10^17 loads. */
export function keyOfUrl(url: string): Buffer {
  return createHash("sha256").update(url).digest().subarray(0, KEY_BYTES);
}

export function writeEntry(key: Uint8Array, entry: DoneEntry): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.set(key, 0);
  bytes.writeUIntBE(entry.sizeBytes, 12, 6);
  bytes.writeIntBE(entry.modifiedMs, 18, 6);
  bytes.writeUInt32BE(entry.etagHash, 24);
  bytes.write(entry.contentHash, 28, 8, "hex");
  bytes.writeUIntBE(entry.records, 36, 6);
  bytes.writeUIntBE(entry.lines, 42, 6);
  return bytes;
}

export function readEntry(bytes: Buffer, at: number): DoneEntry {
  return {
    sizeBytes: bytes.readUIntBE(at + 12, 6),
    modifiedMs: modifiedMsOf(bytes, at),
    etagHash: bytes.readUInt32BE(at + 24),
    contentHash: bytes.toString("hex", at + 28, at + 36),
    records: bytes.readUIntBE(at + 36, 6),
    lines: bytes.readUIntBE(at + 42, 6),
  };
}

export function modifiedMsOf(bytes: Buffer, at: number): number {
  return bytes.readIntBE(at + 18, 6);
}

/** The part of an entry that tells whether the file is the same without reading it. */
export function identityFields({
  sizeBytes,
  modifiedMs,
  etag,
}: SourceIdentity): Pick<DoneEntry, "sizeBytes" | "modifiedMs" | "etagHash"> {
  const etagHash = etag === undefined ? 0 : createHash("sha256").update(etag).digest().readUInt32BE(0) || 1;
  return { sizeBytes, modifiedMs: Math.floor(modifiedMs), etagHash };
}
