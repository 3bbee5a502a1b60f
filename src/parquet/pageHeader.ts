import { ThriftWalker } from "./thrift.js";
import { I32, STRUCT } from "./thriftTypes.js";

/** What stands before each page of a column chunk. */
export interface PageHeader {
  readonly kind: "data" | "dictionary" | "other";
  /** The header's own size. */
  readonly headerBytes: number;
  /** Of what follows the header, as it's stored. */
  readonly bodyBytes: number;
  /** Of what follows the header, decompressed. */
  readonly uncompressedBytes: number;
  /** Of a data page, nulls included: its rows, where the column isn't repeated. */
  readonly valueCount: number;
  /** The CRC-32 of what follows the header, as it's stored; undefined where the writer left none. */
  readonly crc: number | undefined;
}

// The field ids of parquet.thrift's PageHeader, and its page types.
const TYPE = 1;
const UNCOMPRESSED_SIZE = 2;
const COMPRESSED_SIZE = 3;
const CRC = 4;
const DATA_HEADER = 5;
const DATA_HEADER_V2 = 8;
const VALUE_COUNT = 1;
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;

/** Reads the header at `offset`. Throws a RangeError where there is none, or where it goes beyond the bytes. */
export function readPageHeader(bytes: Uint8Array, offset: number): PageHeader {
  const walker = new ThriftWalker(bytes, offset);
  const numbers = new Map<number, number>();
  const valueCounts = new Map<number, number>();
  walker.struct((id, type) => {
    if (type === I32) numbers.set(id, walker.zigzag());
    else if (type === STRUCT && (id === DATA_HEADER || id === DATA_HEADER_V2)) {
      walker.struct((inner, innerType) => {
        if (inner !== VALUE_COUNT || innerType !== I32) return false;
        valueCounts.set(id, walker.zigzag());
        return true;
      }, 1);
    } else return false;
    return true;
  });
  const type = numbers.get(TYPE);
  const isData = type === DATA_PAGE || type === DATA_PAGE_V2;
  const crc = numbers.get(CRC);
  const header = {
    kind: isData ? "data" : type === DICTIONARY_PAGE ? "dictionary" : "other",
    headerBytes: walker.offset - offset,
    bodyBytes: numbers.get(COMPRESSED_SIZE) ?? -1,
    uncompressedBytes: numbers.get(UNCOMPRESSED_SIZE) ?? -1,
    valueCount: isData ? (valueCounts.get(type === DATA_PAGE ? DATA_HEADER : DATA_HEADER_V2) ?? -1) : 0,
    crc: crc === undefined ? undefined : crc >>> 0,
  } as const;
  if (header.bodyBytes < 0 || header.uncompressedBytes < 0 || header.valueCount < 0) {
    throw new RangeError("a page's header lacks its size");
  }
  return header;
}
