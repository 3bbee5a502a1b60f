import { parseDecimalType } from "#src/schema/decimal.js";
import type { Literal } from "#src/schema/predicate.js";
import type { DataType } from "#src/schema/types.js";
import fc from "../fastCheck.js";

const SECONDS_OF_9999_YEARS = 62_135_596_800n;

/** Any value of a primitive type, in the domain of {@link Literal}, special ones often. */
export function literalsOf(type: DataType): fc.Arbitrary<Literal> {
  const decimal = parseDecimalType(type);
  if (decimal) {
    const max = 10n ** BigInt(decimal.precision) - 1n;
    return fc.oneof(
      fc.bigInt({ min: -max, max }),
      fc.bigInt({ min: -20n, max: 20n }).filter((n) => n <= max && n >= -max),
    );
  }
  switch (type) {
    case "long":
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 9n }));
    case "integer":
      return fc.oneof(fc.integer(), fc.integer({ min: -9, max: 9 }));
    case "short":
      return fc.integer({ min: -32768, max: 32767 });
    case "byte":
      return fc.integer({ min: -128, max: 127 });
    case "double":
      return fc.oneof(
        fc.double(),
        fc.integer({ min: -9, max: 9 }),
        fc.constantFrom(-0, Number.NaN, Infinity, -Infinity),
      );
    case "float":
      return fc.oneof(
        fc.float(),
        fc.integer({ min: -9, max: 9 }),
        fc.constantFrom(-0, Number.NaN, Infinity, -Infinity),
      );
    case "boolean":
      return fc.boolean();
    case "date":
      return fc.oneof(fc.integer({ min: -719_162, max: 2_932_896 }), fc.integer({ min: -9, max: 9 }));
    case "timestamp":
    case "timestamp_ntz":
      return fc.oneof(
        fc.bigInt({ min: -SECONDS_OF_9999_YEARS * 1_000_000n, max: 4n * SECONDS_OF_9999_YEARS * 1_000_000n }),
        fc.bigInt({ min: -5000n, max: 5000n }),
      );
    case "binary":
      return fc.uint8Array({ maxLength: 4 });
    default:
      return fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 3 }),
        fc.string({ unit: fc.constantFrom("a", "b", "\u{10FFFF}", "\uFFFD", "é"), maxLength: 40 }),
        fc.constant("a".repeat(33)),
      );
  }
}
