import type { LogicalType, SchemaElement } from "hyparquet";
import { ConvertedTypes, FieldRepetitionTypes, ParquetTypes } from "hyparquet/src/constants.js";
import type { ParquetNode } from "./fileSchema.js";
import type { Chunk } from "./footer.js";
import { LIST } from "./thriftTypes.js";
import { ThriftWriter } from "./thriftWriter.js";

/** What a footer to be written describes. */
export interface FooterParts {
  readonly root: ParquetNode;
  readonly rowGroups: readonly { readonly rowCount: number; readonly chunks: readonly PlacedChunk[] }[];
  readonly createdBy: string | undefined;
  readonly keyValues: Readonly<Record<string, string>>;
  /** Whether it says how many nulls chunks have, as far as they know. */
  readonly withNullCounts?: boolean;
}

/** A chunk with its column and the place it has in the new file. */
export interface PlacedChunk {
  readonly path: readonly string[];
  readonly chunk: Chunk;
  readonly start: number;
}

// 16 bits.
const MAX_ORDINAL = 32_767;

/** A footer in parquet.thrift's FileMetaData, without bounds and indexes: enough to decode every page. */
export function footerBytes(parts: FooterParts): Uint8Array {
  const out = new ThriftWriter();
  const rowCount = parts.rowGroups.reduce((sum, group) => sum + group.rowCount, 0);
  out.struct(() => {
    out.i32Field(1, 1);
    out.copiedFields(new Map([[2, { type: LIST, value: schemaList(parts.root) }]]), {});
    out.i64Field(3, rowCount);
    out.structsField(4, [...parts.rowGroups.entries()], ([ordinal, { rowCount: groupRows, chunks }]) => {
      const sum = (sizeOf: (chunk: Chunk) => number) => chunks.reduce((total, { chunk }) => total + sizeOf(chunk), 0);
      out.structsField(1, chunks, (chunk) => writeChunk(out, chunk, parts.withNullCounts));
      out.i64Field(
        2,
        sum((chunk) => chunk.uncompressedBytes),
      );
      out.i64Field(3, groupRows);
      out.i64Field(5, chunks[0]?.start);
      out.i64Field(
        6,
        sum((chunk) => chunk.end - chunk.start),
      );
      if (ordinal <= MAX_ORDINAL) out.i16Field(7, ordinal);
    });
    const keyValues = Object.entries(parts.keyValues);
    if (keyValues.length > 0) {
      out.structsField(5, keyValues, ([key, value]) => {
        out.stringField(1, key);
        out.stringField(2, value);
      });
    }
    out.stringField(6, parts.createdBy);
  });
  return out.finish();
}

/** By their roots: a table's many files share them. */
const schemaLists = new WeakMap<ParquetNode, Uint8Array>();

/** The list of the schema's elements as Thrift. */
function schemaList(root: ParquetNode): Uint8Array {
  let list = schemaLists.get(root);
  if (list === undefined) {
    const out = new ThriftWriter();
    out.structsField(1, flatten(root), (node) => writeSchemaElement(out, node));
    // Without the field's header, which is a byte.
    list = out.finish().slice(1);
    schemaLists.set(root, list);
  }
  return list;
}

function flatten(node: ParquetNode): ParquetNode[] {
  return [node, ...node.children.flatMap(flatten)];
}

function writeSchemaElement(out: ThriftWriter, { element, children }: ParquetNode): void {
  out.i32Field(1, indexIn(ParquetTypes, element.type));
  out.i32Field(2, element.type_length);
  out.i32Field(3, indexIn(FieldRepetitionTypes, element.repetition_type));
  out.stringField(4, element.name);
  if (element.type === undefined) out.i32Field(5, children.length);
  out.i32Field(6, indexIn(ConvertedTypes, element.converted_type));
  out.i32Field(7, element.scale);
  out.i32Field(8, element.precision);
  out.i32Field(9, element.field_id);
  writeLogicalType(out, element);
}

function writeChunk(out: ThriftWriter, { path, chunk, start }: PlacedChunk, withNullCount = false): void {
  out.i64Field(2, 0);
  out.structField(3, () => {
    out.i32Field(1, chunk.type);
    out.i32sField(2, chunk.encodings);
    out.stringsField(3, path);
    out.i32Field(4, chunk.codec);
    out.i64Field(5, chunk.valueCount);
    out.i64Field(6, chunk.uncompressedBytes);
    out.i64Field(7, chunk.end - chunk.start);
    out.i64Field(9, start + chunk.dataPageOffset - chunk.start);
    if (chunk.dictionaryPageOffset !== undefined) out.i64Field(11, start);
    if (withNullCount && chunk.nullCount !== undefined) out.structField(12, () => out.i64Field(3, chunk.nullCount));
  });
}

/** The union's field ids; what isn't here (variant, geometry) is read as the plain type below it. */
const LOGICAL_TYPE_IDS: Partial<Record<LogicalType["type"], number>> = {
  STRING: 1,
  MAP: 2,
  LIST: 3,
  ENUM: 4,
  DECIMAL: 5,
  DATE: 6,
  TIME: 7,
  TIMESTAMP: 8,
  INTEGER: 10,
  NULL: 11,
  JSON: 12,
  BSON: 13,
  UUID: 14,
  FLOAT16: 15,
};

const TIME_UNIT_IDS = { MILLIS: 1, MICROS: 2, NANOS: 3 };

function writeLogicalType(out: ThriftWriter, { logical_type: logical }: SchemaElement): void {
  const id = logical && LOGICAL_TYPE_IDS[logical.type];
  if (logical === undefined || id === undefined) return;
  out.structField(10, () => {
    out.structField(id, () => {
      if (logical.type === "DECIMAL") {
        out.i32Field(1, logical.scale);
        out.i32Field(2, logical.precision);
      } else if (logical.type === "TIME" || logical.type === "TIMESTAMP") {
        out.boolField(1, logical.isAdjustedToUTC);
        out.structField(2, () => out.structField(TIME_UNIT_IDS[logical.unit], () => {}));
      } else if (logical.type === "INTEGER") {
        out.i8Field(1, logical.bitWidth);
        out.boolField(2, logical.isSigned);
      }
    });
  });
}

function indexIn<T>(names: readonly T[], name: T | undefined): number | undefined {
  const index = name === undefined ? -1 : names.indexOf(name);
  return index < 0 ? undefined : index;
}
