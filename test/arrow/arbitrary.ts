import { Timestamp } from "#src/arrow/timestamp.js";
import type { DataType, StructField, StructType } from "#src/schema/types.js";
import fc from "../fastCheck.js";

/** Names of columns: plain ones, and traps for objects, generated code and quoting. Arrow's IPC format loses "". */
const names = fc.oneof(
  fc.constantFrom("a", "b", "id", "Name", "x y", "a.b", '"];throw 1;//', "`", "é", "1", "10"),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "length", "valueOf"),
  fc.string({ minLength: 1, maxLength: 4 }).filter((name) => !/\p{Surrogate}/u.test(name)),
);

const decimals = fc
  .integer({ min: 1, max: 38 })
  .chain((precision) =>
    fc.integer({ min: 0, max: precision }).map((scale) => `decimal(${precision},${scale})` as const),
  );

const primitives: fc.Arbitrary<DataType> = fc.oneof(
  fc.constantFrom(
    "byte" as const,
    "short" as const,
    "integer" as const,
    "long" as const,
    "float" as const,
    "double" as const,
    "string" as const,
    "binary" as const,
    "boolean" as const,
    "date" as const,
    "timestamp" as const,
    "timestamp_ntz" as const,
  ),
  decimals,
);

const mapKeys = fc.constantFrom("string" as const, "integer" as const, "long" as const, "decimal(10,2)" as const);

function types(depth: number): fc.Arbitrary<DataType> {
  if (depth === 0) return primitives;
  const inner = types(depth - 1);
  return fc.oneof(
    { weight: 5, arbitrary: primitives },
    { weight: 1, arbitrary: structs(inner) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("array" as const), elementType: inner, containsNull: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("map" as const),
        keyType: mapKeys,
        valueType: inner,
        valueContainsNull: fc.boolean(),
      }),
    },
  );
}

function structs(inner: fc.Arbitrary<DataType>): fc.Arbitrary<StructType> {
  const field: fc.Arbitrary<StructField> = fc.record({
    name: names,
    type: inner,
    nullable: fc.boolean(),
    metadata: fc.constant({}),
  });
  return fc
    .uniqueArray(field, { minLength: 1, maxLength: 5, selector: (f) => f.name })
    .map((fields) => ({ type: "struct" as const, fields }));
}

/** Any schema of Delta's. */
export const schemas = structs(types(2));
/** Schemas without arrays, maps and structs. */
export const flatSchemas = structs(primitives);

const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.string({ unit: fc.constantFrom("a", "b", "\u007f", "é", "\uffff", "😀", "\u{10ffff}"), maxLength: 70 }),
);

const micros = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -10_000n, max: 10_000n }),
  fc.bigInt({ min: 1_600_000_000_000_000n, max: 1_800_000_000_000_000n }),
  fc.bigInt({ min: 9_007_199_254_730_000n, max: 9_007_199_254_750_000n }),
);

function timestampOf(value: bigint): Date | bigint {
  if (value > 8_640_000_000_000_000_000n || value < -8_640_000_000_000_000_000n) return value;
  const timestamp = Timestamp.fromMicroseconds(value);
  return timestamp.microsecond === 0 ? new Date(timestamp.getTime()) : timestamp;
}

/** Values of a type in the form in which rows are read; null where `nullable`. */
export function values(type: DataType, nullable: boolean): fc.Arbitrary<unknown> {
  return nullable ? fc.option(present(type), { freq: 4 }) : present(type);
}

function present(type: DataType): fc.Arbitrary<unknown> {
  switch (type) {
    case "byte":
      return fc.integer({ min: -128, max: 127 });
    case "short":
      return fc.integer({ min: -32768, max: 32767 });
    case "integer":
      return fc.integer();
    case "long":
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -3n, max: 3n }));
    case "float":
      return fc.float();
    case "double":
      return fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, 1, -1, Number.POSITIVE_INFINITY));
    case "string":
      return text.map((value) => Buffer.from(value).toString());
    case "binary":
      return fc.uint8Array({ maxLength: 5 });
    case "boolean":
      return fc.boolean();
    case "date":
      return fc.integer({ min: -1_000_000, max: 4_000_000 }).map((days) => new Date(days * 86_400_000));
    case "timestamp":
    case "timestamp_ntz":
      return micros.map(timestampOf);
    default:
  }
  if (typeof type === "string") {
    const [precision, scale] = type.match(/\d+/g)!.map(Number);
    const limit = 10n ** BigInt(precision) - 1n;
    return fc.oneof(fc.bigInt({ min: -limit, max: limit }), fc.bigInt({ min: -9n, max: 9n })).map((unscaled) => {
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
      const cut = digits.length - scale;
      return `${unscaled < 0n ? "-" : ""}${digits.slice(0, cut)}${scale > 0 ? `.${digits.slice(cut)}` : ""}`;
    });
  }
  if (type.type === "array") return fc.array(values(type.elementType, type.containsNull), { maxLength: 3 });
  if (type.type === "map") {
    const entry = fc.tuple(present(type.keyType), values(type.valueType, type.valueContainsNull));
    return fc
      .uniqueArray(entry, { maxLength: 3, selector: ([key]) => String(key) })
      .map((entries) => new Map(entries as [unknown, unknown][]));
  }
  return record(type);
}

/** An object with every column as its own property, whatever its name. */
function record(type: StructType): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .tuple(...type.fields.map((field) => values(field.type, field.nullable)))
    .map((cells) => makeRow(type.fields.map((field, i) => [field.name, cells[i]])));
}

/** An object of entries, "__proto__" being one like any other. */
export function makeRow(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

/** A schema with rows of it. */
export function tables(schema: fc.Arbitrary<StructType>, maxRows = 20) {
  return schema.chain((type) =>
    fc.record({ schema: fc.constant(type), rows: fc.array(record(type), { maxLength: maxRows }) }),
  );
}
