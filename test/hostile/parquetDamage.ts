import type { ByteRange } from "#src/storage/store.js";
import fc from "../fastCheck.js";
import { pagesOf } from "../parquet/pagesOf.js";

/** A sound file, and where it can be hurt most. */
export interface Victim {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly footer: ByteRange;
  readonly headers: readonly ByteRange[];
}

export async function victimOf(name: string, bytes: Uint8Array): Promise<Victim> {
  const end = bytes.length - 8;
  const footerBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(end, true);
  const headers = (await pagesOf(bytes)).map(({ header }) => header);
  return { name, bytes, footer: { start: end - footerBytes, end }, headers };
}

/** What happens to some bytes of a file; places are given as shares, so that it fits any file. */
export interface Wound {
  readonly kind: keyof typeof WOUNDS;
  readonly area: "anywhere" | "footer" | "header" | "end";
  readonly place: number;
  readonly length: number;
  readonly byte: number;
}

const share = fc.nat(0xffff).map((value) => value / 0x10000);

/** Some wounds, most of them small: large ones never come far. */
export const wounds: fc.Arbitrary<readonly Wound[]> = fc.array(
  fc.record<Wound>({
    kind: fc.constantFrom("flip", "flip", "set", "zero", "cut", "repeat", "splice"),
    area: fc.constantFrom("anywhere", "footer", "footer", "header", "header", "end"),
    place: share,
    length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 500 })),
    byte: fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)),
  }),
  { minLength: 1, maxLength: 4 },
);

/** The file as the wounds leave it; `donor` is where spliced bytes come from. */
export function wounded(victim: Victim, inflicted: readonly Wound[], donor: Uint8Array): Uint8Array {
  let bytes: Uint8Array = victim.bytes.slice();
  for (const wound of inflicted) {
    const { start, end } = areaOf(victim, wound);
    const at = Math.min(start + Math.floor((end - start) * wound.place), bytes.length - 1);
    if (at >= 0) bytes = WOUNDS[wound.kind](bytes, at, wound, donor);
  }
  return bytes;
}

function areaOf({ bytes, footer, headers }: Victim, { area, place, length }: Wound): ByteRange {
  if (area === "footer") return footer;
  if (area === "end") return { start: bytes.length - 8, end: bytes.length };
  if (area === "header" && headers.length > 0)
    return headers[(Math.floor(place * 0x10000) * 31 + length) % headers.length]!;
  return { start: 0, end: bytes.length };
}

type Wounding = (bytes: Uint8Array, at: number, wound: Wound, donor: Uint8Array) => Uint8Array;

const WOUNDS = {
  flip: (bytes, at, { byte }) => bytes.with(at, bytes[at]! ^ (1 << (byte % 8))),
  set: (bytes, at, { byte }) => bytes.with(at, byte),
  zero: (bytes, at, { length }) => bytes.slice().fill(0, at, at + length),
  cut: (bytes, at, { length }) => joined(bytes.subarray(0, at), bytes.subarray(at + length)),
  repeat: (bytes, at, { length }) => joined(bytes.subarray(0, at + length), bytes.subarray(at)),
  splice: (bytes, at, { length, place }, donor) => {
    const from = Math.floor(place * donor.length);
    const piece = donor.subarray(from, from + Math.min(length, bytes.length - at));
    return joined(bytes.subarray(0, at), piece, bytes.subarray(at + piece.length));
  },
} as const satisfies Readonly<Record<string, Wounding>>;

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
