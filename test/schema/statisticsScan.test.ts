import { expect, it } from "vitest";
import { columnBounds, parseStatistics } from "#src/schema/fileStatistics.js";
import { StatisticsScan } from "#src/schema/statisticsScan.js";
import type { DataType } from "#src/schema/types.js";
import fc from "../fastCheck.js";

const NAMES = ["id", "name", "Größe", "a b", ",", ":", "}", "", "__proto__", 'q"', "b\\s", "minValues", "numRecords"];
const TYPES: readonly DataType[] = [
  "long",
  "integer",
  "double",
  "string",
  "date",
  "timestamp",
  "boolean",
  "decimal(20,2)",
];

const anyName = fc.constantFrom(...NAMES);
const anyText = fc.oneof(
  fc.string({
    unit: fc.constantFrom("a", "é", "{", "}", ",", ":", '"', "\\", "[", " ", "id", '"id":', "😀"),
    maxLength: 6,
  }),
  fc.constantFrom("2026-03-05", "2026-03-05T01:02:03.004Z", '},"maxValues":{"id":1}', "NaN"),
);
const anyNumber = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom("0", "-0", "1e3", "1E-7", "999999999999999", "1000000000000000", "-1.50"),
);
const anyScalar = fc.oneof(
  { weight: 4, arbitrary: anyNumber },
  { weight: 3, arbitrary: anyText.map((text) => JSON.stringify(text)) },
  fc.constantFrom("null", "true", "false", "[]", '"\\u0041"'),
);
const objectOf = (value: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(anyName, value), { maxLength: 5 }).map((members) => {
    return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
  });
const anySection = objectOf(fc.oneof({ weight: 12, arbitrary: anyScalar }, objectOf(anyScalar)));
const anyMember = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom("minValues", "maxValues", "nullCount"), anySection) },
  fc.tuple(fc.constant("tightBounds"), fc.constantFrom("true", "false", "null")),
  fc.tuple(fc.constantFrom("numRecords", "tags", "min\\u0056alues"), fc.oneof(anyScalar, anySection)),
);
const flat = fc.tuple(anyNumber, anyScalar, anyScalar, anyScalar, fc.nat(9)).map(([id, min, max, other, count]) => {
  const values = (value: string) => `{"id":${id},"name":${value},"Größe":${other}}`;
  return `{"numRecords":${count},"minValues":${values(min)},"maxValues":${values(max)},"nullCount":{"id":0,"name":${count},"Größe":1}}`;
});
const drawn = fc
  .tuple(anyNumber, fc.array(anyMember, { maxLength: 5 }), fc.constantFrom("", " ", "\n"), fc.boolean())
  .map(([count, members, space, leads]) => {
    const all = members.map(([name, text]) => `${space}"${name}"${space}:${text}`);
    if (leads) all.unshift(`"numRecords":${count}`);
    return `{${all.join(",")}}`;
  });

it("tells of every column what the parsed text tells, text after text", () => {
  const anyTexts = fc.array(fc.oneof({ weight: 3, arbitrary: flat }, drawn), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(anyTexts, fc.uniqueArray(anyName, { minLength: 1, maxLength: 3 }), (texts, names) => {
      const bytes = Buffer.from(texts.join(""));
      const scan = new StatisticsScan(bytes, names);
      let start = 0;
      for (const text of texts) {
        const end = start + Buffer.byteLength(text);
        const [found, parsed] = [scan.at(start, end), parseStatistics(text)];
        expect(found?.numRecords).toBe(parsed?.numRecords);
        for (const name of parsed === undefined ? [] : names) {
          for (const type of TYPES) {
            expect(columnBounds(found!, [name], type)).toEqual(columnBounds(parsed!, [name], type));
          }
        }
        start = end;
      }
    }),
    { numRuns: 1500 },
  );
});

it("finds what is as writers write it without parsing", () => {
  const text =
    '{"numRecords":3,"minValues":{"id":1,"s":"a{"},"maxValues":{"id":2},"nullCount":{"id":0},"tightBounds":true}';
  const usual = text.replace("a{", "a");
  const scan = new StatisticsScan(Buffer.from(usual + text), ["id"]);
  expect(scan.at(0, usual.length)?.minValues).toEqual({ id: 1 });
  expect(scan.at(usual.length, usual.length + text.length)?.minValues).toEqual({ id: 1, s: "a{" });
});
