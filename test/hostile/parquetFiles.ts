import { ThriftWriter } from "#src/parquet/thriftWriter.js";

// Numbers of parquet.thrift.
const INT32 = 1;
export const INT64 = 2;
export const BYTE_ARRAY = 6;
const PLAIN = 0;
export const RLE_DICTIONARY = 8;
export const CODECS = { uncompressed: 0, snappy: 1, gzip: 2, brotli: 4, zstd: 6, lz4_raw: 7 } as const;
const RLE = 3;

export interface PageOptions {
  readonly body: Uint8Array;
  readonly kind?: "data" | "dictionary" | "index";
  readonly valueCount: number;
  readonly encoding?: number;
  /** What the header claims. */
  readonly uncompressedBytes?: number;
  readonly compressedBytes?: number;
}

/** A page with its header. */
export function page(options: PageOptions): Uint8Array {
  const { body, kind = "data", valueCount, encoding = PLAIN } = options;
  const out = new ThriftWriter();
  out.struct(() => {
    out.i32Field(1, { data: 0, index: 1, dictionary: 2 }[kind]);
    out.i32Field(2, options.uncompressedBytes ?? body.length);
    out.i32Field(3, options.compressedBytes ?? body.length);
    if (kind === "data") {
      out.structField(5, () => {
        out.i32Field(1, valueCount);
        out.i32Field(2, encoding);
        out.i32Field(3, RLE);
        out.i32Field(4, RLE);
      });
    }
    if (kind === "dictionary") {
      out.structField(7, () => {
        out.i32Field(1, valueCount);
        out.i32Field(2, PLAIN);
      });
    }
  });
  return joined([out.finish(), body]);
}

export interface ColumnOptions {
  readonly name?: string;
  readonly type?: number;
  readonly codec?: number;
  readonly pages: readonly Uint8Array[];
  /** Bytes of the dictionary page, which comes first. */
  readonly dictionaryBytes?: number;
  /** What the footer claims. */
  readonly valueCount: number;
  readonly uncompressedBytes?: number;
  readonly compressedBytes?: number;
  readonly offset?: number;
}

/** A Parquet file of required columns, of which the footer says what it is told to. */
export function parquetFile(columns: readonly ColumnOptions[], rowCount: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [new TextEncoder().encode("PAR1")];
  let end = 4;
  const places = columns.map(({ pages }) => {
    const start = end;
    for (const bytes of pages) {
      parts.push(bytes);
      end += bytes.length;
    }
    return { start, sizeBytes: end - start };
  });
  const out = new ThriftWriter();
  out.struct(() => {
    out.i32Field(1, 1);
    const names = columns.map(({ name }, i) => name ?? `c${i}`);
    out.structsField(2, [undefined, ...columns], (column) => {
      out.i32Field(1, column && (column.type ?? INT32));
      if (column !== undefined) out.i32Field(3, 0);
      out.stringField(4, column === undefined ? "schema" : names[columns.indexOf(column)]);
      if (column === undefined) out.i32Field(5, columns.length);
    });
    out.i64Field(3, rowCount);
    out.structsField(4, [undefined], () => {
      out.structsField(1, columns, (column) => {
        const { start, sizeBytes } = places[columns.indexOf(column)]!;
        const offset = column.offset ?? start;
        out.i64Field(2, 0);
        out.structField(3, () => {
          out.i32Field(1, column.type ?? INT32);
          out.i32sField(2, [PLAIN, RLE]);
          out.stringsField(3, [names[columns.indexOf(column)]!]);
          out.i32Field(4, column.codec ?? CODECS.uncompressed);
          out.i64Field(5, column.valueCount);
          out.i64Field(6, column.uncompressedBytes ?? sizeBytes);
          out.i64Field(7, column.compressedBytes ?? sizeBytes);
          out.i64Field(9, offset + (column.dictionaryBytes ?? 0));
          if (column.dictionaryBytes !== undefined) out.i64Field(11, offset);
        });
      });
      out.i64Field(2, end - 4);
      out.i64Field(3, rowCount);
    });
  });
  const footer = out.finish();
  return withFooter(joined(parts), footer, footer.length);
}

/** The bytes, then a footer that claims `length`. */
export function withFooter(content: Uint8Array, footer: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const tail = new Uint8Array(8);
  new DataView(tail.buffer).setUint32(0, length, true);
  tail.set(new TextEncoder().encode("PAR1"), 4);
  return joined([content, footer, tail]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

/** `count` times the same index into a dictionary of two values, as RLE_DICTIONARY has it. */
export function repeatedIndex(count: number): Uint8Array {
  const bytes = [1];
  for (let rest = count * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      bytes.push(rest);
      break;
    }
    bytes.push((rest % 128) | 128);
  }
  return Uint8Array.from([...bytes, 0]);
}
