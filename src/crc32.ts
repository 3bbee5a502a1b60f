import * as zlib from "node:zlib";

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

// Node's own, ten times as quick, came only with 20.15.
const nodes: ((bytes: Uint8Array, before: number) => number) | undefined = zlib.crc32;

/** The CRC-32 of gzip and zip; `before` is that of the bytes before these. */
export function crc32(bytes: Uint8Array, before = 0): number {
  if (nodes !== undefined) return nodes(bytes, before);
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}
