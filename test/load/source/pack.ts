import { crc32, deflateRawSync } from "node:zlib";

/** A zstd frame of blocks that aren't compressed, but for those of one byte again and again. */
export function zstdFrameOf(content: Uint8Array, blockBytes = 100): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38])];
  for (let at = 0; at === 0 || at < content.length; at += blockBytes) {
    const block = content.subarray(at, at + blockBytes);
    const isLast = at + blockBytes >= content.length ? 1 : 0;
    const isRun = block.length > 1 && block.every((byte) => byte === block[0]);
    const header = isLast + (isRun ? 2 : 0) + block.length * 8;
    parts.push(Buffer.from([header & 255, (header >> 8) & 255, header >> 16]), isRun ? block.subarray(0, 1) : block);
  }
  return Buffer.concat(parts);
}

/** A zstd frame that is to be passed over. */
export function skippableFrame(content: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a53, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

export interface ZipFile {
  readonly name: string | Uint8Array;
  readonly content: Uint8Array;
  readonly isStored?: boolean;
  /** Sizes come behind the data, as tools write that can't go back. */
  readonly isStreamed?: boolean;
  readonly flags?: number;
  readonly method?: number;
}

/** A zip archive; with `isLarge` its numbers are in zip64 fields. */
export function zipOf(files: readonly ZipFile[], { isLarge = false, comment = "" } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file.name as string);
    const data = file.isStored ? Buffer.from(file.content) : deflateRawSync(file.content);
    const flags = (file.flags ?? 0) | (file.isStreamed ? 8 : 0);
    const method = file.method ?? (file.isStored ? 0 : 8);
    const crc = crc32(file.content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    if (!file.isStreamed) {
      local.writeUInt32LE(crc, 14);
      local.writeUInt32LE(data.length, 18);
      local.writeUInt32LE(file.content.length, 22);
    }
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(5, 28);
    const descriptor = Buffer.alloc(file.isStreamed ? 16 : 0);
    if (file.isStreamed) {
      descriptor.writeUInt32LE(0x08074b50, 0);
      descriptor.writeUInt32LE(crc, 4);
      descriptor.writeUInt32LE(data.length, 8);
      descriptor.writeUInt32LE(file.content.length, 12);
    }
    const stored = Buffer.concat([local, name, Buffer.from([0x55, 0x78, 1, 0, 9]), data, descriptor]);
    parts.push(stored);
    directory.push(directoryEntry({ name, flags, method, crc, data, size: file.content.length, offset, isLarge }));
    offset += stored.length;
  }
  const list = Buffer.concat(directory);
  return Buffer.concat([...parts, list, endOf(files.length, list.length, offset, isLarge), ...endComment(comment)]);
}

interface DirectoryEntry {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly data: Buffer;
  readonly size: number;
  readonly offset: number;
  readonly isLarge: boolean;
}

function directoryEntry({ name, flags, method, crc, data, size, offset, isLarge }: DirectoryEntry): Buffer {
  const extra = Buffer.alloc(isLarge ? 28 : 0);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(flags, 8);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(crc, 16);
  entry.writeUInt32LE(isLarge ? 0xffffffff : data.length, 20);
  entry.writeUInt32LE(isLarge ? 0xffffffff : size, 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt32LE(isLarge ? 0xffffffff : offset, 42);
  if (isLarge) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    extra.writeBigUInt64LE(BigInt(size), 4);
    extra.writeBigUInt64LE(BigInt(data.length), 12);
    extra.writeBigUInt64LE(BigInt(offset), 20);
  }
  return Buffer.concat([entry, name, extra]);
}

function endOf(count: number, directoryBytes: number, start: number, isLarge: boolean): Buffer {
  const end = Buffer.alloc(20);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(isLarge ? 0xffff : count, 8);
  end.writeUInt16LE(isLarge ? 0xffff : count, 10);
  end.writeUInt32LE(isLarge ? 0xffffffff : directoryBytes, 12);
  end.writeUInt32LE(isLarge ? 0xffffffff : start, 16);
  if (!isLarge) return end;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(directoryBytes), 40);
  end64.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end64, locator, end]);
}

function endComment(comment: string): Buffer[] {
  const text = Buffer.from(comment);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length, 0);
  return [length, text];
}
