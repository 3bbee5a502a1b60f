import type { Field } from "apache-arrow";
import type { ObjectStore } from "../../storage/store.js";
import { isGroup, type ParquetNode } from "../fileSchema.js";
import type { EncodedRowGroups } from "../fileWriter.js";
import { type Chunk, type Footer, unreadable } from "../footer.js";
import { footerBytes, type PlacedChunk } from "../footerBytes.js";
import { coalesce, readRange } from "../prune.js";
import { LevelRuns } from "../small/levels.js";
import { parquetSchema } from "../small/schema.js";
import { leafChunks } from "../small/shred.js";
import { dataPageHeader, thinnedChunk } from "./chunk.js";
import type { PageColumn } from "./page.js";

/** A column of a file that is to be written, and the column of an older file whose pages it takes. */
interface Pair {
  readonly node: ParquetNode;
  readonly column: PageColumn;
  /** Its place among the older file's columns; undefined where that has none of the kind. */
  readonly source: number | undefined;
}

/** Which rows of a row group are taken over. */
export interface KeptRows {
  /** A byte a row: 1 for those that go. */
  readonly dropped: Uint8Array;
  readonly droppedCount: number;
  /** For a top-level column that is null somewhere and of which the new file has more members: a byte for each row that's left, 1 where it isn't null. */
  readonly present: (column: string) => Uint8Array | undefined;
}

/** How the columns of a file go over to another one without being decoded; see {@link reusePlan}. */
export class ReusePlan {
  readonly #footer: Footer;
  readonly #root: ParquetNode;
  readonly #pairs: readonly Pair[];

  constructor(footer: Footer, root: ParquetNode, pairs: readonly Pair[]) {
    this.#footer = footer;
    this.#root = root;
    this.#pairs = pairs;
  }

  /**
   * A row group with the new file's columns, but for the rows that go: only pages that have some of those are decoded. Undefined where
   * they can't be. Throws `DELTA_PARQUET_UNREADABLE`, and what the store throws.
   */
  async rowGroup(
    store: ObjectStore,
    index: number,
    rows: KeptRows,
    signal?: AbortSignal,
  ): Promise<EncodedRowGroups | undefined> {
    const { rowGroups } = this.#footer;
    const group = rowGroups[index]!;
    const chunkOf = ({ source }: Pair) => (source === undefined ? undefined : group.chunks[source]);
    const ranges = coalesce(this.#pairs.flatMap((pair) => chunkOf(pair) ?? []));
    const read = await Promise.all(ranges.map((range) => readRange(store, this.#footer, range, signal)));
    const bytesOf = ({ start, end }: Chunk) => {
      const at = ranges.findIndex((range) => range.start <= start && end <= range.end);
      return read[at]!.subarray(start - ranges[at]!.start, end - ranges[at]!.start);
    };
    const rowCount = group.rowCount - rows.droppedCount;
    const parts: Uint8Array[] = [];
    const placed: PlacedChunk[] = [];
    let start = 4;
    for (const pair of this.#pairs) {
      const chunk = chunkOf(pair);
      const made =
        chunk === undefined
          ? nullChunk(pair, rowCount, rows.present(pair.node.path[0]!))
          : this.#thinned(bytesOf(chunk), chunk, pair, rows);
      if (made === undefined) return undefined;
      const pages: readonly Uint8Array[] = made.parts;
      const end = pages.reduce((sum, part) => sum + part.length, start);
      const { dictionaryBytes, ...facts } = made.facts;
      placed.push({
        path: pair.node.path,
        start,
        chunk: {
          ...facts,
          start,
          end,
          dataPageOffset: start + dictionaryBytes,
          dictionaryPageOffset: dictionaryBytes > 0 ? start : undefined,
          type: made.type,
          codec: made.codec,
          encodings: made.encodings,
        },
      });
      parts.push(...pages);
      start = end;
    }
    const footer = footerBytes({
      root: this.#root,
      rowGroups: [{ rowCount, chunks: placed }],
      createdBy: "delta-table",
      keyValues: {},
      withNullCounts: true,
    });
    return { parts, footer, rowCount };
  }

  #thinned(bytes: Uint8Array, chunk: Chunk, { column }: Pair, { dropped, droppedCount }: KeptRows) {
    try {
      const { type, codec, encodings } = chunk;
      const thinned = thinnedChunk(bytes, chunk, column, dropped, droppedCount);
      return thinned && { ...thinned, type, codec, encodings };
    } catch (error) {
      throw unreadable(this.#footer.file, `its content is damaged (${error})`, error);
    }
  }
}

const TYPES = ["BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"];
// Of parquet.thrift.
const UNCOMPRESSED = 0;
const PLAIN = 0;
const RLE = 3;

/** A column without values. */
function nullChunk({ column, node }: Pair, rowCount: number, present: Uint8Array | undefined) {
  const [definition, repetition] = [new LevelRuns(), new LevelRuns()];
  definition.add(present ?? 0, rowCount);
  repetition.add(0, rowCount);
  const body = Buffer.concat([
    ...(column.maxRepetition > 0 ? [repetition.encode(column.maxRepetition)] : []),
    ...(column.maxDefinition > 0 ? [definition.encode(column.maxDefinition)] : []),
  ]);
  const header = dataPageHeader(rowCount, PLAIN, body.length, body.length);
  return {
    parts: [header, body],
    facts: {
      valueCount: rowCount,
      nullCount: rowCount,
      uncompressedBytes: header.length + body.length,
      dictionaryBytes: 0,
    },
    type: TYPES.indexOf(node.element.type!),
    codec: UNCOMPRESSED,
    encodings: [PLAIN, RLE],
  };
}

/**
 * How row groups of the file go over to one of these columns, of which those that aren't `taken` are null; undefined where a
 * column of that name has another type or shape, or is required. Members that the older file lacks are null, those that the new one lacks are left out.
 */
export function reusePlan(footer: Footer, fields: readonly Field[], taken: readonly string[]): ReusePlan | undefined {
  const root = parquetSchema(fields);
  if (root === undefined || footer.calendar !== undefined) return undefined;
  const places = new Map(footer.leaves.map((leaf, i) => [leaf, i]));
  const sources = new Map<ParquetNode, number>();
  const children = (node: ParquetNode, name: string) => node.children.filter(({ element }) => element.name === name);
  const pairUp = (target: ParquetNode, source: ParquetNode): boolean => {
    if (!isAlike(target, source)) return false;
    if (!isGroup(target.element)) {
      sources.set(target, places.get(source)!);
      return true;
    }
    if (isRepeated(target)) {
      return (
        target.children.length === source.children.length &&
        target.children.every((child, i) => pairUp(child, source.children[i]!))
      );
    }
    return target.children.every((child) => {
      const found = children(source, child.element.name);
      return found.length === 0 ? isOptional(child) : found.length === 1 && pairUp(child, found[0]!);
    });
  };
  for (const name of taken) {
    const [[target], found] = [children(root, name), children(footer.root, name)];
    if (target === undefined || found.length > 1) return undefined;
    if (found.length === 1 && !pairUp(target, found[0]!)) return undefined;
  }
  const pairs = leafChunks(root).map(({ node, maxDefinition, maxRepetition }) => {
    const { type = "", type_length: typeLength = 0 } = node.element;
    return { node, column: { maxDefinition, maxRepetition, type, typeLength }, source: sources.get(node) };
  });
  return new ReusePlan(footer, root, pairs);
}

/** Whether it is a list or a map, or the group within one. */
function isRepeated({ element }: ParquetNode): boolean {
  const kind = element.logical_type?.type ?? element.converted_type ?? "";
  return element.repetition_type === "REPEATED" || ["LIST", "MAP", "MAP_KEY_VALUE"].includes(kind);
}

function isOptional({ element }: ParquetNode): boolean {
  return element.repetition_type === "OPTIONAL";
}

/** Whether values of both are stored alike and mean the same. */
function isAlike({ element: a }: ParquetNode, { element: b }: ParquetNode): boolean {
  return (
    a.repetition_type === b.repetition_type &&
    a.type === b.type &&
    a.type_length === b.type_length &&
    a.precision === b.precision &&
    a.scale === b.scale &&
    meaningOf(a) === meaningOf(b)
  );
}

function meaningOf({ converted_type: converted, logical_type: logical }: ParquetNode["element"]): string {
  if (logical?.type === "TIMESTAMP") return `TIMESTAMP_${logical.unit}_${logical.isAdjustedToUTC}`;
  if (converted === "TIMESTAMP_MICROS") return "TIMESTAMP_MICROS_true";
  if (logical?.type === "INTEGER") return `INTEGER_${logical.bitWidth}_${logical.isSigned}`;
  // Plain integers may say that they are.
  const of = { UTF8: "STRING", INT_8: "INTEGER_8_true", INT_16: "INTEGER_16_true", MAP_KEY_VALUE: "MAP" } as const;
  return logical?.type ?? of[converted as keyof typeof of] ?? converted ?? "";
}
