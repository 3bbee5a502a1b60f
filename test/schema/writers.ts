import { parseDecimalType, unscaledToDecimal } from "#src/schema/decimal.js";
import type { Literal } from "#src/schema/predicate.js";
import { formatDate, formatTimestamp } from "#src/schema/time.js";
import type { DataType, StructType } from "#src/schema/types.js";
import fc from "../fastCheck.js";
import { type LiteralRow, order } from "./evaluateRow.js";

/** How a writer of statistics goes about what the protocol leaves open, or what writers get wrong. */
export interface WriterStyle {
  /** NaN is the greatest value (Spark), or left out of the bounds (Parquet footers). */
  readonly nan: "greatest" | "ignored";
  /** Long strings: kept, cut with a raised maximum (Spark), or just cut. */
  readonly strings: "whole" | "raised" | "cut";
  readonly timestamps: "millis" | "micros";
  /** Decimals as JSON numbers of all digits (Spark), or as doubles (delta-rs). */
  readonly decimals: "exact" | "double";
  /** Whether nulls that come from a null struct count for its fields. */
  readonly nestedNulls: boolean;
  /** After rows were deleted: bounds and counts are still those of before. */
  readonly wide: boolean;
  /** What is left out. */
  readonly without: readonly ("numRecords" | "minValues" | "maxValues" | "nullCount")[];
}

export const anyStyle: fc.Arbitrary<WriterStyle> = fc.record({
  nan: fc.constantFrom("greatest", "ignored"),
  strings: fc.constantFrom("whole", "raised", "cut"),
  timestamps: fc.constantFrom("millis", "micros"),
  decimals: fc.constantFrom("exact", "double"),
  nestedNulls: fc.boolean(),
  wide: fc.boolean(),
  without: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray(["numRecords", "minValues", "maxValues", "nullCount"] as const) },
  ),
});

/** The `stats` of a file as a writer of this style would write them. */
export function statisticsOf(rows: readonly LiteralRow[], schema: StructType, style: WriterStyle): string {
  const parts: string[] = [];
  const keep = (name: "numRecords" | "minValues" | "maxValues" | "nullCount", text: string) => {
    if (!style.without.includes(name)) parts.push(`"${name}":${text}`);
  };
  keep("numRecords", String(rows.length));
  keep(
    "minValues",
    structText(rows, schema, (values, type) => boundText(values, type, style, false)),
  );
  keep(
    "maxValues",
    structText(rows, schema, (values, type) => boundText(values, type, style, true)),
  );
  keep("nullCount", countsText(rows, schema, style));
  if (style.wide) parts.push('"tightBounds":false');
  return `{${parts.join(",")}}`;
}

function structText(
  rows: readonly (LiteralRow | null)[],
  schema: StructType,
  leaf: (values: readonly (Literal | null)[], type: DataType) => string | undefined,
): string {
  const members = schema.fields.flatMap(({ name, type }) => {
    const values = rows.map((row) => row?.[name] ?? null);
    const isStruct = typeof type !== "string" && type.type === "struct";
    const text = isStruct ? structText(values as LiteralRow[], type, leaf) : leaf(values as Literal[], type);
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
  });
  return `{${members.join(",")}}`;
}

function countsText(rows: readonly (LiteralRow | null)[], schema: StructType, style: WriterStyle): string {
  const members = schema.fields.map(({ name, type }) => {
    const present = style.nestedNulls ? rows : rows.filter((row) => row !== null);
    const values = present.map((row) => row?.[name] ?? null);
    const isStruct = typeof type !== "string" && type.type === "struct";
    const count = isStruct
      ? countsText(values as LiteralRow[], type, style)
      : String(values.filter((value) => value === null).length);
    return `${JSON.stringify(name)}:${count}`;
  });
  return `{${members.join(",")}}`;
}

function boundText(
  values: readonly (Literal | null)[],
  type: DataType,
  style: WriterStyle,
  isMax: boolean,
): string | undefined {
  const candidates = values.filter((v) => v !== null && !(style.nan === "ignored" && Number.isNaN(v))) as Literal[];
  if (candidates.length === 0 || type === "binary") return undefined;
  const bound = candidates.reduce((a, b) => (order(a, b) < 0 === isMax ? b : a));
  const decimal = parseDecimalType(type);
  if (decimal) {
    const text = unscaledToDecimal(bound as bigint, decimal.scale);
    return style.decimals === "exact" ? text : String(Number(bound) / 10 ** decimal.scale);
  }
  if (type === "date") return `"${formatDate(bound as number)}"`;
  if (type === "timestamp" || type === "timestamp_ntz") {
    const text = formatTimestamp(bound as bigint);
    return `"${style.timestamps === "millis" ? text.slice(0, -3) : text}${type === "timestamp" ? "Z" : ""}"`;
  }
  if (typeof bound === "string") return JSON.stringify(cut(bound, style, isMax));
  if (typeof bound === "number" && !Number.isFinite(bound)) return `"${bound}"`;
  return String(Object.is(bound, -0) ? "-0.0" : bound);
}

function cut(text: string, { strings }: WriterStyle, isMax: boolean): string {
  const characters = [...text];
  if (strings === "whole" || characters.length <= 32) return text;
  const prefix = characters.slice(0, 32).join("");
  return isMax && strings === "raised" ? `${prefix}\u{10FFFF}` : prefix;
}
