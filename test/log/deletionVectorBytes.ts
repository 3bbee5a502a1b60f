import { gzipSync } from "node:zlib";
import type { DeletionVectorDescriptor } from "#src/log/actions.js";
import type { ObjectStore } from "#src/storage/store.js";

export type Format = "portable" | "native";

export interface RoaringStyle {
  readonly format?: Format;
  /** Which containers are written as runs, by their number; the others as lists or bits, as their size demands. */
  readonly isRun?: (container: number) => boolean;
  /** The native format writes empty bitmaps for keys without values; the portable one may. */
  readonly keepsEmptyBitmaps?: boolean;
}

const le = (bytes: number, value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.subarray(0, bytes);
};
const be32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};

/** Ascending positions by a part of them. */
function groupBy(positions: readonly number[], keyOf: (position: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const position of positions) {
    const group = groups.get(keyOf(position));
    if (group === undefined) groups.set(keyOf(position), [position]);
    else group.push(position);
  }
  return groups;
}

/** A 64-bit roaring bitmap of ascending positions, as Delta stores it. */
export function roaringBytes(positions: readonly number[], style: RoaringStyle = {}): Buffer {
  const { format = "portable", isRun = () => false, keepsEmptyBitmaps = format === "native" } = style;
  const byKey = groupBy(positions, (position) => Math.floor(position / 2 ** 32));
  const last = [...byKey.keys()].at(-1) ?? -1;
  const keys = keepsEmptyBitmaps ? Array.from({ length: last + 1 }, (_, key) => key) : [...byKey.keys()];
  let containers = 0;
  const bitmaps = keys.map((key) => {
    const bytes = bitmapBytes(
      (byKey.get(key) ?? []).map((position) => position % 2 ** 32),
      () => isRun(containers++),
    );
    return format === "portable" ? Buffer.concat([le(4, key), bytes]) : Buffer.concat([le(4, bytes.length), bytes]);
  });
  const head =
    format === "portable" ? [le(4, 1681511377), le(8, keys.length)] : [le(4, 1681511376), le(4, keys.length)];
  return Buffer.concat([...head, ...bitmaps]);
}

function bitmapBytes(values: readonly number[], nextIsRun: () => boolean): Buffer {
  const containers = [...groupBy(values, (value) => value >>> 16)].map(([key, members]) => {
    const lows = members.map((value) => value & 0xffff);
    return { key, lows, isRun: nextIsRun() };
  });
  const hasRuns = containers.some(({ isRun }) => isRun);
  const flags = Buffer.alloc(Math.ceil(containers.length / 8));
  for (const [i, { isRun }] of containers.entries()) if (isRun) flags[i >> 3]! |= 1 << (i & 7);
  const cookie = hasRuns
    ? [le(4, 12347 + (containers.length - 1) * 65536), flags]
    : [le(4, 12346), le(4, containers.length)];
  const header = containers.map(({ key, lows }) => Buffer.concat([le(2, key), le(2, lows.length - 1)]));
  const bodies = containers.map(({ lows, isRun }) =>
    isRun ? runs(lows) : lows.length > 4096 ? bits(lows) : list(lows),
  );
  const start = [...cookie, ...header].reduce((sum, { length }) => sum + length, 0) + 4 * containers.length;
  const offsets = bodies.map((_, i) => le(4, start + bodies.slice(0, i).reduce((sum, { length }) => sum + length, 0)));
  const hasOffsets = !hasRuns || containers.length >= 4;
  return Buffer.concat([...cookie, ...header, ...(hasOffsets ? offsets : []), ...bodies]);
}

const list = (lows: readonly number[]): Buffer => Buffer.from(Uint16Array.from(lows).buffer);

function bits(lows: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8192);
  for (const low of lows) bytes[low >> 3]! |= 1 << (low & 7);
  return bytes;
}

function runs(lows: readonly number[]): Buffer {
  const starts = lows.filter((low, i) => low - 1 !== lows[i - 1]);
  const ends = lows.filter((low, i) => low + 1 !== lows[i + 1]);
  return Buffer.concat([
    le(2, starts.length),
    ...starts.flatMap((start, i) => [le(2, start), le(2, ends[i]! - start)]),
  ]);
}

const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** The Z85 text of bytes, filled up to a multiple of four. */
export function z85(bytes: Uint8Array): string {
  const filled = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  filled.set(bytes);
  let text = "";
  for (let at = 0; at < filled.length; at += 4) {
    const word = filled.readUInt32BE(at);
    for (let power = 85 ** 4; power >= 1; power /= 85) text += Z85[Math.floor(word / power) % 85];
  }
  return text;
}

/** A vector in the log itself. */
export function inlineVector(positions: readonly number[], style?: RoaringStyle): DeletionVectorDescriptor {
  const bytes = roaringBytes(positions, style);
  const cardinality = positions.length;
  return { storageType: "i", pathOrInlineDv: z85(bytes), sizeInBytes: bytes.length, cardinality };
}

/** The same checksum as at the end of a gzip file. */
const crc32 = (bytes: Uint8Array): number => gzipSync(bytes).subarray(-8).readUInt32LE();

/** A file of vectors, and where each begins in it. */
export function vectorFile(vectors: readonly Uint8Array[]): { readonly bytes: Buffer; readonly offsets: number[] } {
  const parts: Uint8Array[] = [Uint8Array.of(1)];
  const offsets: number[] = [];
  let length = 1;
  for (const vector of vectors) {
    offsets.push(length);
    parts.push(be32(vector.length), vector, be32(crc32(vector)));
    length += vector.length + 8;
  }
  return { bytes: Buffer.concat(parts), offsets };
}

/** Writes a file of vectors into a table's folder, under its UUID's name, and gives their descriptors. */
export async function putVectors(
  store: ObjectStore,
  uuid: string,
  vectors: readonly (readonly number[])[],
  prefix = "",
): Promise<DeletionVectorDescriptor[]> {
  const data = vectors.map((positions) => roaringBytes(positions));
  const { bytes, offsets } = vectorFile(data);
  await store.put(`${prefix === "" ? "" : `${prefix}/`}deletion_vector_${uuid}.bin`, bytes);
  const pathOrInlineDv = prefix + z85(Buffer.from(uuid.replaceAll("-", ""), "hex"));
  return vectors.map((positions, i) => ({
    storageType: "u",
    pathOrInlineDv,
    offset: offsets[i]!,
    sizeInBytes: data[i]!.length,
    cardinality: positions.length,
  }));
}
