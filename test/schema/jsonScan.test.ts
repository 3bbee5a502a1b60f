import { expect, test } from "vitest";
import { findMember, scalarAt } from "#src/schema/jsonScan.js";
import fc from "../fastCheck.js";

test("every scalar member of any object is found as it is written", () => {
  const scalars = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(scalars, fc.object(), fc.array(scalars))),
      fc.nat(2),
      (object, spaces) => {
        const json = JSON.stringify(object, null, spaces);
        for (const [name, value] of Object.entries(object)) {
          const isScalar = typeof value !== "object" || value === null;
          expect(scalarAt(json, findMember(json, 0, name))).toBe(isScalar ? JSON.stringify(value) : undefined);
        }
        expect(findMember(json, 0, `${Object.keys(object).join()}x`)).toBe(-1);
      },
    ),
  );
});

test("a name that is written with escapes, a digit that a double loses", () => {
  const json = '{"b":{"a":1},"gr\\u00f6\\u00dfe":12345678901234567890.10}';
  expect(scalarAt(json, findMember(json, 0, "größe"))).toBe("12345678901234567890.10");
  expect(findMember(json, 0, "a")).toBe(-1);
  expect(scalarAt(json, -1)).toBeUndefined();
});
