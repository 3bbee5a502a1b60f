import { createHash } from "node:crypto";
import { crc32 } from "../../../crc32.js";
import type { OwnFunction, OwnType } from "./own.js";

/** Murmur3 with 32 bits, as Spark has it: what is left after whole words goes in byte by byte. */
function mixed(hash: number, word: number): number {
  const k = Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotated(hash ^ k, 13), 5) + 0xe6546b64) | 0;
}

function rotated(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function finished(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function murmurOfBytes(bytes: Uint8Array, seed: number): number {
  const view = viewOf(bytes);
  const whole = bytes.length - (bytes.length % 4);
  let hash = seed;
  for (let at = 0; at < whole; at += 4) hash = mixed(hash, view.getInt32(at, true));
  for (let at = whole; at < bytes.length; at++) hash = mixed(hash, view.getInt8(at));
  return finished(hash, bytes.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function murmurOfLong(value: bigint, seed: number): number {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return finished(mixed(mixed(seed, low), high), 8);
}

const [P1, P2, P3, P4, P5] = [
  ...[0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n],
] as [bigint, bigint, bigint, bigint, bigint];

const bits = (x: bigint) => BigInt.asUintN(64, x);
const turned = (x: bigint, by: bigint) => bits((bits(x) << by) | (bits(x) >> (64n - by)));
const round = (hash: bigint, value: bigint) => bits(turned(bits(hash + value * P2), 31n) * P1);

function avalanche(hash: bigint): bigint {
  let h = bits(hash);
  h = bits((h ^ (h >> 33n)) * P2);
  h = bits((h ^ (h >> 29n)) * P3);
  return BigInt.asIntN(64, h ^ (h >> 32n));
}

function withLong(hash: bigint, value: bigint): bigint {
  return bits(turned(hash ^ round(0n, bits(value)), 27n) * P1 + P4);
}

function withInt(hash: bigint, value: bigint): bigint {
  return bits(turned(hash ^ bits(BigInt.asUintN(32, value) * P1), 23n) * P2 + P3);
}

function xxOfBytes(bytes: Uint8Array, seed: bigint): bigint {
  const view = viewOf(bytes);
  let at = 0;
  let hash = bits(seed + P5);
  if (bytes.length >= 32) {
    let lanes = [bits(seed + P1 + P2), bits(seed + P2), bits(seed), bits(seed - P1)];
    for (; at + 32 <= bytes.length; at += 32) {
      const from = at;
      lanes = lanes.map((lane, index) => round(lane, view.getBigUint64(from + index * 8, true)));
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    hash = bits(turned(a, 1n) + turned(b, 7n) + turned(c, 12n) + turned(d, 18n));
    for (const lane of lanes) hash = bits((hash ^ round(0n, lane)) * P1 + P4);
  }
  hash = bits(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) hash = withLong(hash, view.getBigUint64(at, true));
  if (at + 4 <= bytes.length) {
    hash = withInt(hash, BigInt(view.getUint32(at, true)));
    at += 4;
  }
  for (; at < bytes.length; at++) hash = bits(turned(hash ^ bits(BigInt(bytes[at]!) * P5), 11n) * P1);
  return avalanche(hash);
}

/** The bits of a double; both zeros have those of 0, and all NaNs those of one. */
function doubleBits(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x === 0 ? 0 : x);
  return Number.isNaN(x) ? 0x7ff8_0000_0000_0000n : view.getBigInt64(0);
}

function floatBits(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x === 0 ? 0 : x);
  return Number.isNaN(x) ? 0x7fc0_0000 : view.getInt32(0);
}

/** A whole number of any size as Java has its bytes: as few as hold it and its sign. */
function bytesOf(digits: string): Uint8Array {
  let rest = BigInt(digits);
  const bytes: number[] = [];
  do {
    bytes.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (!((rest === 0n && bytes[0]! < 0x80) || (rest === -1n && bytes[0]! >= 0x80)));
  return Uint8Array.from(bytes);
}

/** Goes on from the hash of what is before; null leaves that as it is. */
function going<T>(
  type: OwnType,
  seed: "integer" | "long",
  of: (value: T, seed: never) => number | bigint,
): OwnFunction {
  return {
    takes: [type, seed],
    gives: seed,
    takesNulls: true,
    of: (value: T | null, before) => (value === null ? before : of(value, before as never)),
  };
}

const utf8 = (text: string) => Buffer.from(text, "utf8");
const digest = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex");

export const HASHES: Readonly<Record<string, OwnFunction>> = {
  hash_int: going("integer", "integer", (value: number, seed: number) => finished(mixed(seed, value), 4)),
  hash_long: going("long", "integer", murmurOfLong),
  hash_double: going("double", "integer", (x: number, seed: number) => murmurOfLong(doubleBits(x), seed)),
  hash_float: going("double", "integer", (x: number, seed: number) => finished(mixed(seed, floatBits(x)), 4)),
  hash_text: going("text", "integer", (text: string, seed: number) => murmurOfBytes(utf8(text), seed)),
  hash_binary: going("binary", "integer", murmurOfBytes),
  hash_decimal: going("text", "integer", (digits: string, seed: number) => murmurOfBytes(bytesOf(digits), seed)),
  xxhash_int: going("integer", "long", (value: number, seed: bigint) =>
    avalanche(withInt(bits(seed + P5 + 4n), BigInt(value))),
  ),
  xxhash_long: going("long", "long", (value: bigint, seed: bigint) => avalanche(withLong(bits(seed + P5 + 8n), value))),
  xxhash_double: going("double", "long", (x: number, seed: bigint) =>
    avalanche(withLong(bits(seed + P5 + 8n), doubleBits(x))),
  ),
  xxhash_float: going("double", "long", (x: number, seed: bigint) =>
    avalanche(withInt(bits(seed + P5 + 4n), BigInt(floatBits(x)))),
  ),
  xxhash_text: going("text", "long", (text: string, seed: bigint) => xxOfBytes(utf8(text), seed)),
  xxhash_binary: going("binary", "long", xxOfBytes),
  xxhash_decimal: going("text", "long", (digits: string, seed: bigint) => xxOfBytes(bytesOf(digits), seed)),
  crc32: { takes: ["binary"], gives: "long", of: (bytes: Uint8Array) => BigInt(crc32(bytes) >>> 0) },
  digest: { takes: ["text", "binary"], gives: "text", of: digest },
};
