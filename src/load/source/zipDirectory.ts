import { DeltaError } from "../../errors.js";
import { limits } from "../../limits.js";
import type { ArchiveEntry } from "./archive.js";
import { unreadable } from "./errors.js";
import { openRanges, type Ranges, type StoredFile } from "./ranges.js";

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
/** Before a file's content, at least. */
const HEADER_BYTES = 30;

const END_SIGNATURE = 0x06054b50;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const ZIP64_EXTRA = 1;

/** Stands for a number that is in the zip64 extra field. */
const IN_EXTRA = 0xffffffff;

/**
 * The files in a zip archive, without its folders, in the directory's order (APPNOTE 4.3.6; zip64 too). Reads the archive's end and
 * its directory. Throws DELTA_INPUT_UNREADABLE where it is no archive, is damaged, encrypted, or part of several.
 */
export async function archiveEntries(archive: StoredFile, signal?: AbortSignal): Promise<ArchiveEntry[]> {
  await using ranges = openRanges(archive);
  const { sizeBytes } = archive.identity;
  const endStart = Math.max(sizeBytes - END_BYTES - MAX_COMMENT_BYTES - LOCATOR_BYTES, 0);
  const end = viewOf(await ranges.read(endStart, sizeBytes, signal));
  const place = await directoryPlace(archive.url, ranges, end, endStart, signal);
  if (place.start + place.sizeBytes > sizeBytes) {
    throw unreadable(archive.url, endStart, "the archive's directory lies outside of it; it was cut off");
  }
  checkSize(archive.url, "files", place.count, limits.MAX_ARCHIVE_FILES);
  checkSize(archive.url, "bytes of names", place.sizeBytes, limits.MAX_ARCHIVE_DIRECTORY_BYTES);
  const directory = viewOf(await ranges.read(place.start, place.start + place.sizeBytes, signal));
  return withEnds(archive.url, entriesOf(archive.url, directory, place), place.start);
}

function checkSize(url: string, what: string, count: number, limit: number): void {
  if (count <= limit) return;
  const message = `${url} has ${count} ${what}, and an archive may have ${limit}; unpack it, and load the folder.`;
  throw new DeltaError("DELTA_LIMIT_EXCEEDED", message, { file: url, limit });
}

interface Place {
  readonly start: number;
  readonly sizeBytes: number;
  readonly count: number;
}

async function directoryPlace(
  url: string,
  ranges: Ranges,
  end: DataView,
  endStart: number,
  signal: AbortSignal | undefined,
): Promise<Place> {
  let at = end.byteLength - END_BYTES;
  while (at >= 0 && !(end.getUint32(at, true) === END_SIGNATURE && endsAtEnd(end, at))) at--;
  if (at < 0) throw unreadable(url, endStart, "this is no zip archive, or its end is missing");
  const locator = at - LOCATOR_BYTES;
  if (locator >= 0 && end.getUint32(locator, true) === LOCATOR_SIGNATURE) {
    const start = uint64(end, locator + 8);
    const end64 = viewOf(await ranges.read(start, Math.min(start + END64_BYTES, endStart + at), signal));
    if (end64.byteLength < END64_BYTES || end64.getUint32(0, true) !== END64_SIGNATURE) {
      throw unreadable(url, start, "the archive's zip64 end is damaged");
    }
    return { start: uint64(end64, 48), sizeBytes: uint64(end64, 40), count: uint64(end64, 32) };
  }
  if (end.getUint16(at + 4, true) !== 0) throw unreadable(url, endStart + at, "the archive is one of several parts");
  return {
    start: end.getUint32(at + 16, true),
    sizeBytes: end.getUint32(at + 12, true),
    count: end.getUint16(at + 10, true),
  };
}

function endsAtEnd(end: DataView, at: number): boolean {
  return at + END_BYTES + end.getUint16(at + 20, true) <= end.byteLength;
}

type EntryInDirectory = Omit<ArchiveEntry, "end">;

function entriesOf(url: string, directory: DataView, { start, count }: Place): EntryInDirectory[] {
  const entries: EntryInDirectory[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + ENTRY_BYTES > directory.byteLength || directory.getUint32(at, true) !== ENTRY_SIGNATURE) {
      throw unreadable(url, start + at, "the archive's directory is damaged");
    }
    const nameBytes = directory.getUint16(at + 28, true);
    const extraBytes = directory.getUint16(at + 30, true);
    const next = at + ENTRY_BYTES + nameBytes + extraBytes + directory.getUint16(at + 32, true);
    if (next > directory.byteLength) throw unreadable(url, start + at, "the archive's directory is damaged");
    const entry = entryAt(directory, at, nameBytes, extraBytes);
    if (!entry.name.endsWith("/")) {
      checkMethod(url, start + at, entry, directory.getUint16(at + 8, true));
      entries.push(entry);
    }
    at = next;
  }
  return entries;
}

function entryAt(directory: DataView, at: number, nameBytes: number, extraBytes: number): EntryInDirectory {
  const name = nameOf(new Uint8Array(directory.buffer, directory.byteOffset + at + ENTRY_BYTES, nameBytes));
  const large = zip64Numbers(directory, at + ENTRY_BYTES + nameBytes, extraBytes);
  // In this order, and only those that don't fit.
  const number = (place: number) => {
    const small = directory.getUint32(at + place, true);
    return small === IN_EXTRA ? (large.shift() ?? small) : small;
  };
  const sizeBytes = number(24);
  const compressedBytes = number(20);
  const offset = number(42);
  const method = directory.getUint16(at + 10, true);
  return { name, offset, method, compressedBytes, sizeBytes, crc32: directory.getUint32(at + 16, true) };
}

function zip64Numbers(directory: DataView, start: number, extraBytes: number): number[] {
  const numbers: number[] = [];
  for (let at = start; at + 4 <= start + extraBytes; at += 4 + directory.getUint16(at + 2, true)) {
    if (directory.getUint16(at, true) !== ZIP64_EXTRA) continue;
    const end = Math.min(at + 4 + directory.getUint16(at + 2, true), start + extraBytes);
    for (let place = at + 4; place + 8 <= end; place += 8) numbers.push(uint64(directory, place));
  }
  return numbers;
}

/** Most tools write UTF-8, and not all of them say so. */
function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

function checkMethod(url: string, offset: number, { name, method }: EntryInDirectory, flags: number): void {
  if ((flags & 1) !== 0) throw unreadable(url, offset, `"${name}" is encrypted`);
  if (method !== 0 && method !== 8) {
    throw unreadable(url, offset, `"${name}" is compressed by method ${method}; only deflate (8) can be unpacked`);
  }
}

/** Files that lie over each other would unpack the same bytes again and again. */
function withEnds(url: string, entries: readonly EntryInDirectory[], directoryStart: number): ArchiveEntry[] {
  const offsets = Float64Array.from(entries, ({ offset }) => offset).sort();
  const endOf = new Map<number, number>();
  for (let i = 0; i < offsets.length; i++) endOf.set(offsets[i]!, offsets[i + 1] ?? directoryStart);
  const isShared = endOf.size < entries.length;
  return entries.map((entry) => {
    const end = endOf.get(entry.offset)!;
    if (isShared || entry.offset + HEADER_BYTES + entry.compressedBytes > end) {
      throw unreadable(url, entry.offset, `the archive's files lie over each other, at "${entry.name}"`);
    }
    return { ...entry, end };
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
