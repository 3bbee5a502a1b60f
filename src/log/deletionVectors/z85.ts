const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const NO_DIGIT = 255;
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (let digit = 0; digit < ALPHABET.length; digit++) DIGITS[ALPHABET.charCodeAt(digit)] = digit;

/**
 * The bytes of a Z85 text (ZeroMQ's RFC 32): four for each five characters. Throws a RangeError for a text that no
 * bytes have.
 */
export function decodeZ85(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 5 !== 0) throw new RangeError(`a Z85 text of ${text.length} characters, which is no multiple of 5`);
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0, to = 0; at < text.length; at += 5, to += 4) {
    let word = 0;
    for (let i = at; i < at + 5; i++) {
      const digit = DIGITS[text.charCodeAt(i)] ?? NO_DIGIT;
      if (digit === NO_DIGIT) throw new RangeError(`a character at ${i} that Z85 doesn't have`);
      word = word * 85 + digit;
    }
    if (word > 0xffffffff) throw new RangeError(`five characters at ${at} that are more than four bytes`);
    view.setUint32(to, word);
  }
  return bytes;
}

/** The Z85 text of bytes whose number is a multiple of 4. */
export function encodeZ85(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const word = view.getUint32(at);
    for (const divisor of [85 ** 4, 85 ** 3, 85 ** 2, 85, 1]) text += ALPHABET[Math.floor(word / divisor) % 85];
  }
  return text;
}
