import type { DataType, StructType } from "#src/schema/types.js";
import fc from "../fastCheck.js";

const primitive = fc.oneof(
  fc.constantFrom<DataType>(
    ...(["string", "long", "integer", "short", "byte", "float", "double", "boolean", "binary"] as const),
    ...(["date", "timestamp", "timestamp_ntz"] as const),
  ),
  fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 38 }))
    .map(([p, s]): DataType => `decimal(${p},${Math.min(p, s)})`),
);

const { schema } = fc.letrec<{ type: DataType; schema: StructType }>((tie) => ({
  type: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    primitive,
    tie("schema"),
    fc.record({ type: fc.constant("array" as const), elementType: tie("type"), containsNull: fc.boolean() }),
    fc.record({
      type: fc.constant("map" as const),
      keyType: tie("type"),
      valueType: tie("type"),
      valueContainsNull: fc.boolean(),
    }),
  ),
  schema: fc.record({
    type: fc.constant("struct" as const),
    fields: fc.array(
      fc.record({
        name: fc.string({ unit: "grapheme" }),
        type: tie("type"),
        nullable: fc.boolean(),
        metadata: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
      }),
      { maxLength: 4 },
    ),
  }),
}));

/** Any schema, names and metadata included that no table would have. */
export const anySchema: fc.Arbitrary<StructType> = schema;
