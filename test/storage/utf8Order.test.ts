import { expect, it } from "vitest";
import { compareUtf8, sortUtf8 } from "#src/storage/utf8Order.js";
import fc from "../fastCheck.js";

const strings = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("a", "/", "\uffff", "\u{10000}"),
  ),
});

it("orders like the bytes of UTF-8", () => {
  fc.assert(
    fc.property(strings, strings, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

it("sorts like the bytes of UTF-8", () => {
  fc.assert(
    fc.property(fc.array(strings), (list) => {
      const bytes = [...list].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(sortUtf8([...list])).toEqual(bytes);
    }),
  );
});
