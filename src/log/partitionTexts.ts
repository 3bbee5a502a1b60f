import { type Data, type Field, type Struct, Type } from "apache-arrow";
import { buildColumn } from "../arrow/buildColumn.js";
import { makeBatch } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { rowReader } from "../arrow/rows.js";
import { fromArrowType } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import { toLiteral } from "../schema/literalValue.js";
import { serializePartitionValue } from "../schema/partition.js";
import type { StructField, StructType } from "../schema/types.js";
import { PARTITION_VALUES } from "./checkpointSchema.js";

/**
 * Partition values that a checkpoint has as structs (`partitionValues_parsed`: PROTOCOL.md, Checkpoint Schema), as the maps of text
 * that `partitionValues` would be, null where they are null. The texts stand for the very same values, whatever the writer of
 * the commits made of them: timestamps are in UTC.
 *
 * Throws a RangeError for a column of a type that partitions can't have, and `DELTA_VALUE_OUT_OF_RANGE` for a value without text.
 */
export function partitionTexts(parsed: Data): Data {
  if (parsed.typeId !== Type.Struct) throw new RangeError("its partitionValues_parsed is no group of columns");
  const fields = (parsed.type as Struct).children.map(partitionField);
  const schema: StructType = { type: "struct", fields };
  const batch = makeBatch((parsed.type as Struct).children, parsed.children, parsed.length);
  const rows = rowReader(schema)(conformBatch(batch, schema));
  const texts = rows.map((row, index) => {
    if (!parsed.getValid(index)) return null;
    return new Map(fields.map(({ name, type }) => [name, textOf(name, type, row[name])]));
  });
  return buildColumn(PARTITION_VALUES.type, texts, { column: "partitionValues", rowOf: (row) => row });
}

function textOf(name: string, type: StructField["type"], value: unknown): string | null {
  return serializePartitionValue(type, toLiteral(type, value, [name]), { column: name });
}

function partitionField({ name, type }: Field): StructField {
  try {
    const found = fromArrowType(type, name);
    if (typeof found === "string") return { name, type: found, nullable: true, metadata: {} };
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
  }
  throw new RangeError(`its partitionValues_parsed.${name} is ${type}, which no partition column can be`);
}
