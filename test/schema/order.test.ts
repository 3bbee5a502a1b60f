import { expect, test } from "vitest";
import { compareLiterals } from "#src/schema/order.js";
import type { DataType } from "#src/schema/types.js";
import fc from "../fastCheck.js";
import { order } from "./evaluateRow.js";
import { literalsOf } from "./values.js";

test.each<DataType>(["string", "double", "long", "boolean", "binary"])(
  "the order of %s is the definition's",
  (type) => {
    fc.assert(
      fc.property(literalsOf(type), literalsOf(type), (a, b) => {
        expect(Math.sign(compareLiterals(a, b))).toBe(Math.sign(order(a, b)));
        expect(compareLiterals(a, a)).toBe(0);
      }),
    );
  },
);

test("characters beyond U+FFFF sort last, as in UTF-8", () => {
  expect(compareLiterals("\u{10000}", "\uFFFD")).toBeGreaterThan(0);
  expect("\u{10000}" > "\uFFFD").toBe(false);
});
