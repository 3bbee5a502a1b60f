import type { RecordBatch } from "apache-arrow";
import { isValid, validityOf } from "../../arrow/bits.js";
import { offsetsOf } from "../../arrow/column.js";
import type { StructType } from "../../schema/types.js";
import { TEXT_TYPE } from "../../write/rowRules.js";
import type { Condition } from "./tableRules.js";

/** Spark keeps `char(n)` and `varchar(n)` as string columns whose metadata has the type: their texts have `n` characters at most. */
export function textLengths({ fields }: StructType): Condition[] {
  return fields.flatMap(({ name, type, metadata }) => {
    const match = /^(?:var)?char\((\d+)\)$/i.exec(String(metadata[TEXT_TYPE] ?? ""));
    if (match === null || type !== "string") return [];
    const text = String(metadata[TEXT_TYPE]);
    const columns = [[name]];
    const evaluate = async (batch: unknown) => fits(batch as RecordBatch, name, Number(match[1]));
    return [
      {
        constraint: text,
        title: `the type of column ${name}`,
        expression: text,
        columns: [name],
        column: name,
        sql: "",
        predicate: { op: "opaque" as const, text, columns, evaluate },
      },
    ];
  });
}

/** 1 for each row whose text is short enough, or null; 0 for the others. */
function fits(batch: RecordBatch, name: string, most: number): Uint8Array {
  const index = batch.schema.fields.findIndex((field) => field.name === name);
  const data = batch.data.children[index]!;
  const [offsets, bytes] = [offsetsOf(data) as Int32Array, data.values as unknown as Uint8Array];
  const validity = validityOf(data);
  return Uint8Array.from({ length: batch.numRows }, (_, row) => {
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    if (!isValid(validity, row) || end - start <= most) return 1;
    let characters = 0;
    // All bytes of a character but the first have these bits.
    for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) characters++;
    return characters <= most ? 1 : 0;
  });
}
