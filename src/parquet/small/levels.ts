/** One level for all slots, or one for each. */
export type Levels = number | Uint8Array;

/** A column chunk's definition or repetition levels (parquet-format, Encodings.md, RLE and bit-packing hybrid). */
export class LevelRuns {
  readonly #levels: number[] = [];
  readonly #lengths: number[] = [];
  #count = 0;

  add(levels: Levels, count: number): void {
    if (typeof levels === "number") this.#run(levels, count);
    else for (let i = 0; i < count; i++) this.#run(levels[i]!, 1);
  }

  /** The encoded levels behind their size, as a data page has them: as runs, or packed where that is smaller. */
  encode(maxLevel: number): Uint8Array {
    const width = 32 - Math.clz32(maxLevel);
    const groups = Math.ceil(this.#count / 8);
    const runs = this.#lengths.reduce((sum, length) => sum + varintBytes(length * 2) + 1, 0);
    const packed = varintBytes(groups * 2 + 1) + groups * width;
    const bytes = new Uint8Array(4 + Math.min(runs, packed));
    new DataView(bytes.buffer).setUint32(0, bytes.length - 4, true);
    if (runs <= packed) this.#writeRuns(bytes);
    else this.#writePacked(bytes, width, groups);
    return bytes;
  }

  #run(level: number, count: number): void {
    if (count === 0) return;
    const last = this.#levels.length - 1;
    if (last >= 0 && this.#levels[last] === level) this.#lengths[last]! += count;
    else {
      this.#levels.push(level);
      this.#lengths.push(count);
    }
    this.#count += count;
  }

  #writeRuns(bytes: Uint8Array): void {
    let at = 4;
    for (let run = 0; run < this.#levels.length; run++) {
      at = writeVarint(bytes, at, this.#lengths[run]! * 2);
      bytes[at++] = this.#levels[run]!;
    }
  }

  #writePacked(bytes: Uint8Array, width: number, groups: number): void {
    let bit = 8 * writeVarint(bytes, 4, groups * 2 + 1);
    for (let run = 0; run < this.#levels.length; run++) {
      const level = this.#levels[run]!;
      for (let i = 0; i < this.#lengths[run]!; i++, bit += width) {
        const shifted = level << (bit & 7);
        bytes[bit >> 3]! |= shifted;
        if ((bit & 7) + width > 8) bytes[(bit >> 3) + 1]! |= shifted >> 8;
      }
    }
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
  bytes[at++] = rest;
  return at;
}
