/**
 * Reads `count` numbers in the RLE and bit-packing hybrid (parquet-format, Encodings.md) from `bytes`. Throws a RangeError
 * where there are fewer.
 */
export function readHybrid(bytes: Uint8Array, width: number, count: number): Int32Array {
  const values = new Int32Array(count);
  const mask = width === 32 ? -1 : (1 << width) - 1;
  let at = 0;
  let filled = 0;
  while (filled < count) {
    let header = 0;
    for (let shift = 0, byte = 128; byte >= 128; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new RangeError("a page's runs are cut");
      byte = bytes[at++]!;
      header += (byte & 127) * 2 ** shift;
    }
    if (header % 2 === 1) {
      const packed = Math.min(((header - 1) / 2) * 8, count - filled);
      if (at + Math.ceil((packed * width) / 8) > bytes.length) throw new RangeError("a page's runs are cut");
      for (let i = 0, bit = 0; i < packed; i++, bit += width) {
        let value = 0;
        for (let have = 0; have < width; ) {
          const place = bit + have;
          const taken = Math.min(8 - (place & 7), width - have);
          value |= ((bytes[at + (place >> 3)]! >> (place & 7)) & ((1 << taken) - 1)) << have;
          have += taken;
        }
        values[filled++] = value & mask;
      }
      at += ((header - 1) / 2) * width;
    } else {
      const length = header / 2;
      if (length === 0) throw new RangeError("a page has a run without values");
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value |= (bytes[at++] ?? 0) << shift;
      if (at > bytes.length) throw new RangeError("a page's runs are cut");
      const end = Math.min(filled + length, count);
      values.fill(value & mask, filled, end);
      filled = end;
    }
  }
  return values;
}

/** Numbers bit-packed, as one run. */
export function packHybrid(values: Int32Array, width: number): Uint8Array {
  const groups = Math.ceil(values.length / 8);
  const header: number[] = [];
  for (let rest = groups * 2 + 1; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      header.push(rest);
      break;
    }
    header.push((rest % 128) | 128);
  }
  const bytes = new Uint8Array(header.length + groups * width);
  bytes.set(header);
  for (let i = 0, bit = header.length * 8; i < values.length; i++) {
    const value = values[i]!;
    for (let done = 0; done < width; ) {
      const place = bit + done;
      const given = Math.min(8 - (place & 7), width - done);
      bytes[place >> 3]! |= ((value >>> done) & ((1 << given) - 1)) << (place & 7);
      done += given;
    }
    bit += width;
  }
  return bytes;
}
