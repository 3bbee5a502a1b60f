import type { ByteWriter } from "./byteWriter.js";

const QUOTE = 0x22;

/** Bytes of a text that JSON, or a terminal that shows it, can't have as they are. */
const SPECIAL = new Uint8Array(256);
SPECIAL.fill(1, 0, 0x20);
for (const byte of [QUOTE, 0x5c, 0x7f, 0xc2]) SPECIAL[byte] = 1;
const SHORT: Readonly<Record<number, string>> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  12: "\\f",
  13: "\\r",
  [QUOTE]: '\\"',
  92: "\\\\",
};

/** Writes the UTF-8 text of bytes `start` to `end` as a JSON string, with what a terminal could obey escaped. */
export function writeJsonString(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  out.byte(QUOTE);
  for (let at = start; at < end; ) {
    at = out.copyPlain(bytes, at, end, SPECIAL);
    if (at < end) at += writeSpecial(out, bytes, at);
  }
  out.byte(QUOTE);
}

/** Writes the character at `at` as JSON has it; the bytes it took. */
function writeSpecial(out: ByteWriter, bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  if (byte === 0xc2) {
    const next = bytes[at + 1] ?? 0x20;
    // U+0080 to U+009F: control characters that JSON allows as they are, but some terminals obey.
    if (next < 0xa0) out.unicodeEscape(next);
    else {
      out.byte(byte);
      out.byte(next);
    }
    return 2;
  }
  const short = SHORT[byte];
  if (short === undefined) out.unicodeEscape(byte);
  else out.ascii(short);
  return 1;
}
