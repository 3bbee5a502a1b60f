import type { Wasm } from "./codec.js";

/** Rows that were decoded, as buffers whose order is that of Arrow's IPC format. */
export interface BatchBuffers {
  readonly length: number;
  /** Of each column, nested ones behind those that they are in. */
  readonly nodes: readonly { readonly length: number; readonly nullCount: number }[];
  /** Where the buffers lie; those that a column needn't have are empty. */
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
}

/** Decoded batches, whose buffers share one. */
export interface DecodedBuffers {
  /** The schema as an IPC stream. */
  readonly schema: Uint8Array;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly batches: readonly BatchBuffers[];
}

type WasmTable = ReturnType<Wasm["readParquet"]>;

// struct ArrowArray and ArrowSchema of Arrow's C data interface, where pointers have 32 bits.
const ARRAY = { length: 0, nullCount: 8, offset: 16, bufferCount: 24, childCount: 32, buffers: 40, children: 44 };
const SCHEMA = { format: 0, children: 32, dictionary: 36 };

/** Bytes of a value, by the format that the C data interface has for its type. */
const WIDTHS: Readonly<Record<string, number>> = {
  c: 1,
  C: 1,
  s: 2,
  S: 2,
  e: 2,
  i: 4,
  I: 4,
  f: 4,
  l: 8,
  L: 8,
  g: 8,
  tdD: 4,
  tdm: 8,
  tts: 4,
  ttm: 4,
  ttu: 8,
  ttn: 8,
};
const ALIGNMENT = 8;

/**
 * Copies a table's buffers out of the library's memory as they are: it would write IPC to that memory first, with bitmaps for columns
 * without nulls too. Undefined for a table of other layouts than Parquet files are read into.
 */
export function copyBuffers(wasm: Wasm, table: WasmTable): DecodedBuffers | undefined {
  const exported = table.toFFI();
  try {
    const schemaAt = exported.schemaAddr();
    const arrays = exported.arrayAddrs();
    const memory = wasm.wasmMemory().buffer;
    const walks = Array.from(arrays, (at) => {
      const walk = new Walk(memory);
      return walk.columns(at, schemaAt) ? { walk, length: walk.lengthAt(at) } : undefined;
    });
    let sizeBytes = 0;
    for (const found of walks) {
      if (found === undefined) return undefined;
      for (const { length } of found.walk.places) sizeBytes += padded(length);
    }
    const bytes = new Uint8Array(sizeBytes);
    let offset = 0;
    const batches = walks.map((found) => {
      const { walk, length } = found!;
      const buffers = walk.places.map((place) => {
        if (place.length > 0 && place.at > 0) bytes.set(new Uint8Array(memory, place.at, place.length), offset);
        const copied = { offset, length: place.length };
        offset += padded(place.length);
        return copied;
      });
      return { length, nodes: walk.nodes, buffers };
    });
    return { schema: table.schema.intoIPCStream(), bytes, batches };
  } finally {
    exported.free();
  }
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** Where in the library's memory a buffer begins; at 0 for zeros. */
interface Place {
  readonly at: number;
  readonly length: number;
}

class Walk {
  readonly nodes: { readonly length: number; readonly nullCount: number }[] = [];
  readonly places: Place[] = [];
  readonly #view: DataView;

  constructor(memory: ArrayBuffer) {
    this.#view = new DataView(memory);
  }

  lengthAt(array: number): number {
    return this.#long(array + ARRAY.length);
  }

  /** Goes through the children of a struct; false where one isn't laid out as expected. */
  columns(array: number, schema: number): boolean {
    if (this.#long(array + ARRAY.offset) !== 0) return false;
    const arrays = this.#pointer(array + ARRAY.children);
    const schemas = this.#pointer(schema + SCHEMA.children);
    for (let i = 0; i < this.#long(array + ARRAY.childCount); i++) {
      if (!this.#column(this.#pointer(arrays + 4 * i), this.#pointer(schemas + 4 * i))) return false;
    }
    return true;
  }

  #column(array: number, schema: number): boolean {
    const length = this.lengthAt(array);
    const nullCount = this.#long(array + ARRAY.nullCount);
    if (nullCount < 0 || this.#long(array + ARRAY.offset) !== 0) return false;
    if (this.#pointer(schema + SCHEMA.dictionary) !== 0) return false;
    const format = this.#text(this.#pointer(schema + SCHEMA.format));
    const buffers = this.#pointer(array + ARRAY.buffers);
    const at = (buffer: number) => this.#pointer(buffers + 4 * buffer);
    this.nodes.push({ length, nullCount });
    this.places.push(nullCount > 0 ? { at: at(0), length: bitmapBytes(length) } : { at: 0, length: 0 });
    if (format === "+s") return this.columns(array, schema);
    if (format === "u" || format === "z") {
      this.places.push(offsets(at(1), length));
      const end = length === 0 ? 0 : this.#view.getInt32(at(1) + 4 * length, true);
      this.places.push({ at: at(2), length: end });
      return true;
    }
    if (format === "+l" || format === "+m") {
      this.places.push(offsets(at(1), length));
      return this.columns(array, schema);
    }
    if (format === "b") {
      this.places.push({ at: at(1), length: bitmapBytes(length) });
      return true;
    }
    const width = widthOf(format);
    if (width !== undefined) this.places.push({ at: at(1), length: width * length });
    return width !== undefined;
  }

  #pointer(at: number): number {
    return this.#view.getUint32(at, true);
  }

  #long(at: number): number {
    return Number(this.#view.getBigInt64(at, true));
  }

  #text(at: number): string {
    let text = "";
    for (let i = at; this.#view.getUint8(i) !== 0; i++) text += String.fromCharCode(this.#view.getUint8(i));
    return text;
  }
}

/** One more than values. Without values there needn't be any memory. */
function offsets(at: number, length: number): Place {
  return length === 0 ? { at: 0, length: 4 } : { at, length: 4 * (length + 1) };
}

function bitmapBytes(length: number): number {
  return (length + 7) >> 3;
}

function widthOf(format: string): number | undefined {
  if (format.startsWith("ts")) return 8;
  const [kind, size = ""] = format.split(":");
  if (kind === "w") return Number(size);
  if (kind === "d") return Number(size.split(",")[2] ?? 128) / 8;
  return WIDTHS[format];
}
