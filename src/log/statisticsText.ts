import { type Data, type Field, type Struct, Type, Utf8 } from "apache-arrow";
import { isSet, validityOf } from "../arrow/bits.js";
import { ByteWriter } from "../arrow/byteWriter.js";
import { makeBatch, makeColumn } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { nullColumn } from "../arrow/constant.js";
import { jsonWriter } from "../arrow/jsonLines.js";
import { scalarText, type ValueWriter } from "../arrow/scalarText.js";
import { fromArrowType, toArrowField } from "../arrow/schema.js";
import { DeltaError } from "../errors.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { PrimitiveType, StructField } from "../schema/types.js";

const [COMMA, OPEN, CLOSE] = [0x2c, 0x7b, 0x7d];
/** Of a file's statistics, mostly. */
const BYTES_PER_ROW = 256;

/**
 * Statistics that a checkpoint has as structs (`stats_parsed`: PROTOCOL.md, Checkpoints), as the JSON text that `stats` would be,
 * null where they are null. What is null within them is left out, and so is what statistics can't have.
 */
export function statisticsText(parsed: Data): Data {
  const { length } = parsed;
  if (parsed.typeId !== Type.Struct) return nullColumn(new Utf8(), length);
  const write = objectWriter(parsed);
  const validity = validityOf(parsed);
  const out = new ByteWriter(length * BYTES_PER_ROW);
  const offsets = new Int32Array(length + 1);
  for (let row = 0; row < length; row++) {
    if (validity === undefined || isSet(validity, row)) write(out, row);
    offsets[row + 1] = out.length;
  }
  return makeColumn(new Utf8(), length, validity, { offsets, values: out.take() });
}

function objectWriter(data: Data): ValueWriter {
  const members = (data.type as Struct).children.flatMap((field: Field, index: number) => {
    const child: Data = data.children[index]!;
    const write = valueWriter(child);
    const name = new TextEncoder().encode(`${JSON.stringify(field.name)}:`);
    return write === undefined ? [] : [{ name, validity: validityOf(child), write }];
  });
  return (out, row) => {
    out.byte(OPEN);
    let isFirst = true;
    for (const { name, validity, write } of members) {
      if (validity !== undefined && !isSet(validity, row)) continue;
      if (!isFirst) out.byte(COMMA);
      isFirst = false;
      out.bytes(name);
      write(out, row);
    }
    out.byte(CLOSE);
  };
}

/** Undefined for a column that no bound or count can be. */
function valueWriter(data: Data): ValueWriter | undefined {
  if (data.typeId === Type.Struct) return objectWriter(data);
  try {
    const type = fromArrowType(data.type, "stats_parsed");
    if (typeof type !== "string" || type === "binary") return undefined;
    const column = conformed(type, data);
    return parseDecimalType(type) === undefined
      ? jsonWriter(type, column)
      : scalarText(type as Exclude<PrimitiveType, "string">, column).write;
  } catch (error) {
    if (error instanceof DeltaError) return undefined;
    throw error;
  }
}

function conformed(type: PrimitiveType, data: Data): Data {
  const field: StructField = { name: "value", type, nullable: true, metadata: {} };
  const batch = makeBatch([toArrowField(field).clone({ type: data.type })], [data], data.length);
  return conformBatch(batch, { type: "struct", fields: [field] }).data.children[0]!;
}
