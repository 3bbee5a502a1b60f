/** What the header of a zstd frame says (RFC 8878, 3.1.1.1). */
export interface ZstdFrame {
  /** Of the header, the magic number included. */
  readonly headerBytes: number;
  /** The past output that has to be held to decode the frame. */
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
  readonly needsDictionary: boolean;
}

/** As long as a header can be. */
export const MAX_HEADER_BYTES = 18;

const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];

/** True for the magic number of a frame of data. */
export function isZstdFrame(bytes: Uint8Array): boolean {
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd;
}

/** True for the magic number of a frame that holds something else, to be passed over. */
export function isSkippableFrame(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;
}

/** Reads a frame's header; undefined where `bytes` end within it. */
export function zstdFrame(bytes: Uint8Array): ZstdFrame | undefined {
  const descriptor = bytes[4];
  if (descriptor === undefined) return undefined;
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && isSingle ? 1 : SIZE_BYTES[sizeFlag]!;
  const dictionaryBytes = DICTIONARY_BYTES[descriptor & 3]!;
  const sizeAt = 5 + (isSingle ? 0 : 1) + dictionaryBytes;
  const headerBytes = sizeAt + sizeBytes;
  if (bytes.length < headerBytes) return undefined;
  const dictionary = bytes.subarray(sizeAt - dictionaryBytes, sizeAt);
  return {
    headerBytes,
    windowBytes: isSingle ? contentBytes(bytes.subarray(sizeAt, headerBytes)) : windowOf(bytes[5]!),
    hasChecksum: (descriptor & 4) !== 0,
    needsDictionary: dictionary.some((byte) => byte !== 0),
  };
}

function contentBytes(field: Uint8Array): number {
  const size = field.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return field.length === 2 ? size + 256 : size;
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
