import { expect, test } from "vitest";
import {
  decimalToUnscaled,
  exactDecimalOfDouble,
  fitsPrecision,
  floorDecimal,
  isDecimalInRange,
  parseDecimal,
  parseDecimalType,
  unscaledToDecimal,
} from "#src/schema/decimal.js";
import type { DataType } from "#src/schema/types.js";
import fc from "../fastCheck.js";

test("a decimal type gives its precision and scale, other types nothing", () => {
  expect(parseDecimalType("decimal(10,2)")).toEqual({ precision: 10, scale: 2 });
  expect(parseDecimalType("decimal( 38 , 0 )" as DataType)).toEqual({ precision: 38, scale: 0 });
  expect(parseDecimalType("double")).toBeUndefined();
  expect(parseDecimalType({ type: "struct", fields: [] })).toBeUndefined();
});

test.each([
  ["12.3", 2, 1230n],
  ["-0.05", 2, -5n],
  ["1e3", 0, 1000n],
  ["0E-10", 10, 0n],
  ["1.50e-1", 2, 15n],
  [".5", 1, 5n],
  ["12.345", 2, undefined],
  ["12.340", 2, 1234n],
  ["1.", 0, 1n],
  ["", 2, undefined],
  ["1,5", 2, undefined],
  ["0x10", 0, undefined],
])("%s at scale %i is %s", (text, scale, unscaled) => {
  expect(decimalToUnscaled(text, scale)).toBe(unscaled);
});

test("text and unscaled integer give each other back, 38 digits long", () => {
  const digits = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
  fc.assert(
    fc.property(digits, fc.integer({ min: 0, max: 38 }), (unscaled, scale) => {
      const text = unscaledToDecimal(unscaled, scale);
      expect(decimalToUnscaled(text, scale)).toBe(unscaled);
      expect(text.includes(".")).toBe(scale > 0);
      expect(fitsPrecision(unscaled, 38)).toBe(true);
    }),
  );
});

test("a double's exact value reads back as that double", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 });
  fc.assert(
    fc.property(finite, (value) => {
      const { unscaled, scale } = exactDecimalOfDouble(value);
      expect(Number(unscaledToDecimal(unscaled, scale))).toBe(value === 0 ? 0 : value);
    }),
  );
});

test("rounding down goes towards minus infinity", () => {
  expect(floorDecimal(parseDecimal("2.5")!, 0)).toBe(2n);
  expect(floorDecimal(parseDecimal("-2.5")!, 0)).toBe(-3n);
  expect(floorDecimal(parseDecimal("-2")!, 1)).toBe(-20n);
});

test("precision is 1 to 38, scale at most that", () => {
  expect(isDecimalInRange(38, 38)).toBe(true);
  expect(isDecimalInRange(39, 0)).toBe(false);
  expect(isDecimalInRange(2, 3)).toBe(false);
  expect(isDecimalInRange(0, 0)).toBe(false);
});
